"""``napari-brats evaluate``: score a mask, or a folder of masks, against references."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.cli.options import add_json, add_labels
from napari_brats.errors import CaseError
from napari_brats.metrics.surface import HD95_RULES, NSD_TOLERANCE_MM
from napari_brats.metrics.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_brats.cli.terminal import Terminal
    from napari_brats.workflows.evaluate import Evaluation

BY_EDITION = "edition"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "prediction", type=Path, metavar="PREDICTION", help="mask to score, or a folder of masks"
    )
    parser.add_argument(
        "reference",
        type=Path,
        metavar="REFERENCE",
        help="mask to compare with, the folder of a patient that has one, or a folder of many",
    )
    add_labels(parser, "what the codes mean in masks that do not say so themselves")
    parser.add_argument(
        "--by-task",
        type=_task,
        nargs="?",
        const=BY_EDITION,
        metavar="TASK",
        help="lesion-wise rules of this task for all cases, or, without TASK, summarize the cases "
        f"of each task apart: {', '.join(TASKS)} (default: rules by each case's edition)",
    )
    parser.add_argument(
        "--hd95",
        choices=tuple(HD95_RULES),
        default="directed",
        help="how HD95 of whole regions is taken (default: directed)",
    )
    parser.add_argument(
        "--tolerance",
        type=_millimeters,
        default=NSD_TOLERANCE_MM,
        metavar="MM",
        help=f"distance that surface Dice forgives (default: {NSD_TOLERANCE_MM:g} mm)",
    )
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="masks of another method to compare with"
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write one row per case and region"
    )
    parser.add_argument(
        "--lesions",
        type=Path,
        metavar="FILE",
        help="write one row per case and lesion, by both lesion-wise rules",
    )
    add_json(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Compare and report."""
    for file, option in ((args.csv, "--csv"), (args.lesions, "--lesions")):
        if file is not None:
            from napari_brats.workflows.outputs import check_file

            check_file(file, (".csv",), option)
    if os.path.isdir(args.prediction) and os.path.isdir(args.reference):
        from napari_brats.cli.evaluate_folders import run_folders

        return run_folders(args, options_of(args), terminal)
    if args.against is not None:
        raise CaseError("--against compares folders; give folders as PREDICTION and REFERENCE too")
    from napari_brats.workflows.evaluate import evaluate

    result = evaluate(args.prediction, args.reference, **options_of(args))
    for note in result.notes:
        terminal.notice(note)
    write_tables(args, {args.prediction.name: result})
    if terminal.json:
        terminal.result(result.to_json())
        return 0
    terminal.say(f"{args.prediction} against {result.reference} ({result.convention})")
    show(result, terminal)
    return 0


def write_tables(args: argparse.Namespace, cases: "Mapping[str, Evaluation]") -> None:
    """Write the tables that the command line asks for."""
    from napari_brats.workflows.evaluate_folders import write_csv, write_lesions

    if args.csv is not None:
        write_csv(args.csv, cases)
    if args.lesions is not None:
        write_lesions(args.lesions, cases)


def options_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments of `evaluate` that the command line names."""
    return {
        "labels": args.labels,
        "task": None if args.by_task in (None, BY_EDITION) else args.by_task,
        "hd95": args.hd95,
        "tolerance_mm": args.tolerance,
    }


def show(result: "Evaluation", terminal: "Terminal") -> None:
    """Print the scores of one case, and each rule below its numbers."""
    scores = result.scores
    terminal.table(
        ("region", "Dice", "Jaccard", "sensitivity", "specificity", "precision", "HD95 mm",
         "Hausdorff mm", "ASSD mm", "NSD", "volume ml", "reference ml"),
        [
            (
                name,
                f"{score.dice:.3f}",
                f"{score.jaccard:.3f}",
                f"{score.sensitivity:.3f}",
                f"{score.specificity:.4f}",
                f"{score.precision:.3f}",
                number(score.hd95_mm, 2),
                number(score.hausdorff_mm, 2),
                number(score.assd_mm, 2),
                f"{score.nsd:.3f}",
                f"{score.volume_ml:.1f}",
                f"{score.reference_ml:.1f}",
            )
            for name, score in {**scores.regions, **scores.subregions}.items()
        ],
    )  # fmt: skip
    for key in ("empty", "hd95_mm", "nsd"):
        terminal.say(scores.rules[key])
    for key, content in (
        ("lesionwise_2023", scores.lesionwise_2023),
        ("lesionwise_2026", scores.lesionwise_2026),
    ):
        terminal.table(
            ("region", "Dice", "HD95 mm", "NSD", "matched", "missed", "false", "ignored"),
            [
                (
                    name,
                    number(score.dice, 3),
                    number(score.hd95_mm, 2),
                    number(score.nsd, 3),
                    *(str(score.count(status)) for status in STATUSES),
                )
                for name, score in content.items()
            ],
        )
        terminal.say(scores.rules[key])


STATUSES = ("matched", "missed", "false positive", "ignored")


def number(value: float | None, digits: int) -> str:
    """Write a number, or a dash where there is none."""
    return "-" if value is None or value == float("inf") else f"{value:.{digits}f}"


def _task(name: str) -> str:
    if name in TASKS or name == BY_EDITION:
        return name
    raise argparse.ArgumentTypeError(
        f"{name!r} is no task; choose one of {', '.join(TASKS)}, or put --by-task last"
    )


def _millimeters(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no distance in mm; give 0 or more")
    return value
