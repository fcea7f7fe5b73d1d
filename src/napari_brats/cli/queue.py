"""``napari-brats queue``: rank the patients of a cohort, those that need a look first."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal

SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "cohort", type=Path, metavar="FOLDER", help="output folder of napari-brats cohort"
    )
    parser.add_argument(
        "--top", type=int, default=SHOWN, metavar="N",
        help="how many to print; 0: all (default: %(default)s); queue.csv always has all",
    )  # fmt: skip
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Rank, write queue.csv and the page, and print the first."""
    from napari_brats.workflows.cohort.layout import Layout
    from napari_brats.workflows.queue import build_queue

    with terminal.progress("patients") as on_step:
        ranked = build_queue(args.cohort, on_step=on_step)
    path = Layout(args.cohort).queue
    if terminal.json:
        cases = [
            {
                "patient": one.case,
                "score": one.score,
                "points": dict(one.points),
                "why": list(one.reasons),
            }
            for one in ranked
        ]
        terminal.result({"output": str(path), "queue": cases})
        return 0
    shown = ranked[: args.top] if args.top > 0 else ranked
    terminal.table(
        ("rank", "<patient", "score", "<why"),
        [
            (str(place), one.case, f"{one.score:.2f}", "\n".join(one.reasons) or "nothing unusual")
            for place, one in enumerate(shown, 1)
        ],
    )
    terminal.say(f"{len(ranked)} patients: {path}")
    return 0
