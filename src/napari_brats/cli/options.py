"""Options that several commands share."""

import argparse
from pathlib import Path

from napari_brats.regions import DEFAULT_PALETTE, LABEL_CONVENTIONS, PALETTES


def add_json(parser: argparse.ArgumentParser, *, default: object = False) -> None:
    """Declare ``--json``; an action's default `argparse.SUPPRESS` keeps its command's choice."""
    parser.add_argument(
        "--json",
        action="store_true",
        default=default,
        help="print one JSON object on stdout, everything else on stderr",
    )


def add_labels(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare ``--labels``, with the conventions of the table as choices."""
    parser.add_argument(
        "--labels",
        choices=tuple(LABEL_CONVENTIONS),
        metavar="CONVENTION",
        help=f"{what}: {', '.join(LABEL_CONVENTIONS)} (default: by the files' names)",
    )


def add_running(parser: argparse.ArgumentParser) -> None:
    """Declare how networks run: ``--mirror``, ``--device``, ``--engine``, ``--precision``."""
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="average over the patient and its mirror image, left for right: twice the work",
    )
    parser.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="auto, cpu, cuda, cuda:1, ... or mps (default: %(default)s)",
    )
    parser.add_argument(
        "--engine",
        default="auto",
        metavar="E",
        help="auto, torch or openvino (CPUs) (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="P",
        help="auto, float32, bfloat16 or float16 (default: %(default)s)",
    )


def add_masks(parser: argparse.ArgumentParser) -> None:
    """Declare which masks of a patient to look at: ``--mask``, ``--reference``, ``--labels``."""
    parser.add_argument(
        "--mask",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="mask to look at; may be given more than once where several can be shown "
        "(default: the newest that lies beside the patient)",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="mask to compare with (default: the patient's own reference)",
    )
    add_labels(parser, "what the codes mean in masks that do not say so themselves")


def add_palette(parser: argparse.ArgumentParser) -> None:
    """Declare ``--palette``."""
    parser.add_argument(
        "--palette",
        choices=tuple(PALETTES),
        default=DEFAULT_PALETTE,
        help="; ".join(f"{row.name}: {row.title}" for row in PALETTES.values())
        + " (default: %(default)s)",
    )
