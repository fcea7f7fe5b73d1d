"""Options that several commands share."""

import argparse

from napari_brats.regions import LABEL_CONVENTIONS


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
