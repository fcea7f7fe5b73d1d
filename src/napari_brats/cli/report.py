"""``napari-brats report``: one HTML file about a patient's mask, or about a table of scores."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_masks, add_palette
from napari_brats.errors import CaseError

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="a patient's folder, or one of its files; or a table that evaluate --csv wrote",
    )
    add_masks(parser)
    parser.add_argument(
        "--probabilities",
        type=Path,
        metavar="FILE",
        help="what segment --probabilities wrote, for the uncertainty",
    )
    parser.add_argument(
        "--before",
        type=Path,
        metavar="FILE",
        help="an earlier mask; the report says what was changed since",
    )
    parser.add_argument(
        "--run", type=Path, metavar="FILE", help="what segment --json printed", dest="run_file"
    )
    add_palette(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=".html (default: beside the patient or the table)",
    )
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Write and say where."""
    from napari_brats.workflows.report.cohort import report_cohort
    from napari_brats.workflows.report.patient import report_patient

    if args.path.suffix.lower() == ".csv":
        path = report_cohort(args.path, output=args.output)
    else:
        if len(args.mask) > 1:
            raise CaseError(f"a report is about one mask, {len(args.mask)} were given; give one")
        path = report_patient(
            args.path,
            mask=args.mask[0] if args.mask else None,
            reference=args.reference,
            probabilities=args.probabilities,
            before=args.before,
            run=args.run_file,
            labels=args.labels,
            palette=args.palette,
            output=args.output,
        )
    return terminal.answer(f"report: {path}", output=str(path))
