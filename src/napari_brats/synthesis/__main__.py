"""``python -m napari_brats.synthesis``: make one synthetic patient as BraTS files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from napari_brats.errors import BratsError
from napari_brats.synthesis.anatomy import load_anatomy
from napari_brats.synthesis.files import naming_of, write_patient
from napari_brats.synthesis.kinds import KINDS
from napari_brats.synthesis.mni152 import NAME, load_mni152
from napari_brats.synthesis.patient import make_patient

USER_MISTAKE = 2


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_brats.synthesis", description="Make one synthetic BraTS patient."
    )
    parser.add_argument(
        "--anatomy",
        required=True,
        metavar="FILE",
        help=f"FreeSurfer-style label map, or {NAME!r} for the maps of the nilearn package",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides everything random")
    parser.add_argument("--kind", choices=list(KINDS), help="kind of tumor (default: by chance)")
    parser.add_argument(
        "--case", required=True, metavar="ID", help="patient's id, which decides the naming"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="where to put its folder"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Make the patient and print its folder; 2 and one line for a user's mistake."""
    args = build_parser().parse_args(argv)
    try:
        naming_of(args.case)
        anatomy = load_mni152() if args.anatomy == NAME else load_anatomy(args.anatomy)
        patient = make_patient(anatomy, args.seed, kind=args.kind)
        print(write_patient(patient, args.output, args.case))
    except BratsError as error:
        print(error, file=sys.stderr)
        return USER_MISTAKE
    return 0


if __name__ == "__main__":
    sys.exit(main())
