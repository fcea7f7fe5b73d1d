"""What ``napari-brats evaluate`` prints about folders: summary, unmatched cases, comparison."""

import argparse
from typing import TYPE_CHECKING, Any

from napari_brats.cli.evaluate import number, write_tables
from napari_brats.metrics.table import METRICS
from napari_brats.workflows.evaluate_folders import (
    ALL,
    Cohort,
    compare_cohorts,
    evaluate_folders,
    win_loss,
)

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal

SHOWN = (
    "dice", "hd95_mm", "nsd", "lesionwise_2023_dice", "lesionwise_2023_hd95_mm",
    "lesionwise_2026_dice", "lesionwise_2026_hd95_mm",
)  # fmt: skip
"""Metrics in the printed tables; JSON and CSV have all."""

STATISTICS = "mean, SD, quartiles; 95 % bootstrap interval of the mean, seed 0"


def run_folders(args: argparse.Namespace, options: dict[str, Any], terminal: "Terminal") -> int:
    """Score one or two methods and report."""
    cohort = _scored(args.prediction, args, options, terminal)
    other = None if args.against is None else _scored(args.against, args, options, terminal)
    write_tables(args, cohort.cases)
    by_task = args.by_task is not None
    if terminal.json:
        terminal.result(_content(cohort, other, by_task=by_task))
        return 0
    for group, regions in cohort.summary(by_task=by_task).items():
        terminal.say(f"{group}: {len(cohort.groups(by_task=by_task)[group])} cases; {STATISTICS}")
        terminal.table(
            ("region", "<metric", "n", "undefined", "mean", "SD", "median", "q1", "q3", "95 % CI"),
            [
                (
                    region,
                    METRICS[name].title,
                    str(metrics[name].n),
                    str(metrics[name].undefined),
                    *(
                        number(getattr(metrics[name], key), 3)
                        for key in ("mean", "sd", "median", "q1", "q3")
                    ),
                    f"{number(metrics[name].ci_low, 3)} to {number(metrics[name].ci_high, 3)}",
                )
                for region, metrics in regions.items()
                for name in SHOWN
                if metrics[name].n
            ],
        )
    rules = [rule for case in cohort.cases.values() for rule in case.scores.rules.values()]
    for rule in dict.fromkeys(rules):
        terminal.say(rule)
    if other is not None:
        _show_comparison(cohort, other, terminal)
    return 0


def _scored(
    folder: Any, args: argparse.Namespace, options: dict[str, Any], terminal: "Terminal"
) -> Cohort:
    with terminal.progress("cases") as on_step:
        cohort = evaluate_folders(folder, args.reference, on_step=on_step, **options)
    for line in dict.fromkeys(note for case in cohort.cases.values() for note in case.notes):
        terminal.notice(line)
    for line in cohort.unmatched:
        terminal.notice(f"not scored: {line}")
    for case, why in cohort.failed.items():
        terminal.notice(f"not scored: {case}: {why}")
    return cohort


def _content(cohort: Cohort, other: Cohort | None, *, by_task: bool) -> dict[str, object]:
    summary: dict[str, Any] = {
        group: {
            region: {name: one.to_json() for name, one in metrics.items()}
            for region, metrics in regions.items()
        }
        for group, regions in cohort.summary(by_task=by_task).items()
    }
    content: dict[str, object] = {
        "cases": {
            case: {"task": one.task, "prediction": str(one.prediction), **one.to_json()}
            for case, one in cohort.cases.items()
        },
        "summary": summary if by_task else summary[ALL],
        "statistics": STATISTICS,
        "unmatched": list(cohort.unmatched),
        "failed": dict(cohort.failed),
    }
    if other is not None:
        content["comparison"] = {
            "tests": {
                region: {name: one.to_json() for name, one in metrics.items()}
                for region, metrics in compare_cohorts(cohort, other).items()
            },
            "win_loss_dice": win_loss(cohort, other),
            "unmatched": list(other.unmatched),
            "failed": dict(other.failed),
        }
    return content


def _show_comparison(cohort: Cohort, other: Cohort, terminal: "Terminal") -> None:
    terminal.say("against the other method: Wilcoxon signed-rank, Holm-corrected over all tests")
    terminal.table(
        ("region", "<metric", "n", "win", "tie", "loss", "mean difference", "p", "p Holm"),
        [
            (
                region,
                METRICS[name].title,
                str(one.n),
                str(one.wins),
                str(one.ties),
                str(one.losses),
                number(one.mean_difference, 3),
                number(one.p, 4),
                number(one.p_holm, 4),
            )
            for region, metrics in compare_cohorts(cohort, other).items()
            for name, one in metrics.items()
            if name in SHOWN and one.n
        ],
    )
    terminal.table(
        ("case", "<Dice of each region: win, tie or loss"),
        [
            (case, ", ".join(f"{region} {word}" for region, word in regions.items()))
            for case, regions in win_loss(cohort, other).items()
        ],
    )
