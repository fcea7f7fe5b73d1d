"""``napari-brats figure``: draw a patient with its masks, or the scores of a cohort."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_masks, add_palette
from napari_brats.errors import CaseError
from napari_brats.metrics.table import METRICS
from napari_brats.workflows.figures import FIGURES, CohortFigure, Options, TrainingFigure

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "name",
        choices=tuple(FIGURES),
        metavar="FIGURE",
        help="; ".join(f"{row.name}: {row.title}" for row in FIGURES.values()),
    )
    cohort = ", ".join(row.name for row in FIGURES.values() if isinstance(row, CohortFigure))
    training = ", ".join(row.name for row in FIGURES.values() if isinstance(row, TrainingFigure))
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a patient's folder, or one of its files; one or more tables that evaluate --csv "
        f"wrote for {cohort}; the folder of a training for {training}",
    )
    add_masks(parser)
    add_palette(parser)
    parser.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="for random slices (default: %(default)s)",
    )
    parser.add_argument(
        "--metric",
        choices=tuple(METRICS),
        default="dice",
        metavar="NAME",
        help=f"for a cohort: {', '.join(METRICS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=".png, .pdf or .svg (default: a .png beside the patient or the table)",
    )
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Draw and say where."""
    from napari_brats.workflows.figures.making import (
        make_cohort_figure,
        make_patient_picture,
        make_training_figure,
    )

    row = FIGURES[args.name]
    options = Options(palette=args.palette, seed=args.seed, metric=args.metric)
    if isinstance(row, CohortFigure):
        path = make_cohort_figure(row, args.paths, options, output=args.output)
    elif len(args.paths) > 1:
        raise CaseError(f"{row.name!r} takes one path, {len(args.paths)} were given; give one")
    elif isinstance(row, TrainingFigure):
        path = make_training_figure(row, args.paths[0], output=args.output)
    else:
        path = make_patient_picture(
            row,
            args.paths[0],
            options,
            masks=args.mask,
            reference=args.reference,
            labels=args.labels,
            output=args.output,
        )
    return terminal.answer(f"figure: {path}", figure=row.name, output=str(path))


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; give a whole number from 0 on")
    return int(text)
