"""``napari-brats animate``: a GIF of masks turning in space, or of a sweep through the slices."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_masks, add_palette
from napari_brats.workflows.figures import ANIMATIONS, Options

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "name",
        choices=tuple(ANIMATIONS),
        metavar="ANIMATION",
        help="; ".join(f"{row.name}: {row.title}" for row in ANIMATIONS.values()),
    )
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a patient's folder, or one of its files"
    )
    add_masks(parser)
    add_palette(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help=".gif (default: beside the patient)"
    )
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Draw and say where."""
    from napari_brats.workflows.figures.making import make_patient_picture

    path = make_patient_picture(
        ANIMATIONS[args.name],
        args.path,
        Options(palette=args.palette),
        masks=args.mask,
        reference=args.reference,
        labels=args.labels,
        output=args.output,
    )
    return terminal.answer(f"animation: {path}", animation=args.name, output=str(path))
