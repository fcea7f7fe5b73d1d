"""``napari-brats evaluate``: score a mask against a reference mask."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_labels

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("prediction", type=Path, metavar="PREDICTION", help="mask to score")
    parser.add_argument(
        "reference",
        type=Path,
        metavar="REFERENCE",
        help="mask to compare with, or the folder of a patient that has one",
    )
    add_labels(parser, "what the codes mean in both masks")
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Compare and report."""
    from napari_brats.metrics.scores import EMPTY_RULE
    from napari_brats.workflows.evaluate import evaluate

    result = evaluate(args.prediction, args.reference, labels=args.labels)
    for note in result.notes:
        terminal.notice(note)
    if terminal.json:
        terminal.result(result.to_json())
        return 0
    terminal.say(f"{args.prediction} against {result.reference} ({result.convention})")
    terminal.table(
        ("region", "Dice", "sensitivity", "specificity", "precision", "volume ml", "reference ml"),
        [
            (
                name,
                f"{score.dice:.3f}",
                f"{score.sensitivity:.3f}",
                f"{score.specificity:.4f}",
                f"{score.precision:.3f}",
                f"{score.volume_ml:.1f}",
                f"{score.reference_ml:.1f}",
            )
            for name, score in result.regions.items()
        ],
    )
    terminal.say(EMPTY_RULE)
    return 0
