"""Score all masks of a folder against their references, and one method against another."""

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from napari_brats.errors import BratsError, CaseError
from napari_brats.metrics.statistics import Comparison, Summary, compare, holm, summarize
from napari_brats.metrics.table import METRICS, NONE
from napari_brats.volumes import write_text_atomic
from napari_brats.workflows.evaluate import Evaluation, evaluate
from napari_brats.workflows.pairing import pair_up
from napari_brats.workflows.tables import (
    LESION_HEADER,
    SCORE_HEADER,
    csv_text,
    lesion_cells,
    score_cells,
)

ALL = "all"

Column = dict[str, float | None]


@dataclass(frozen=True)
class Cohort:
    """The scores of a folder.

    Parameters
    ----------
    cases : Mapping[str, Evaluation]
        By case id.
    unmatched : tuple of str
        What had no partner, one line each.
    failed : Mapping[str, str]
        Cases that could not be scored, and why.
    """

    cases: Mapping[str, Evaluation]
    unmatched: tuple[str, ...]
    failed: Mapping[str, str]

    def groups(self, *, by_task: bool) -> dict[str, list[str]]:
        """Return the case ids to summarize together: all, or those of each task."""
        if not by_task:
            return {ALL: list(self.cases)}
        tasks = sorted({case.task for case in self.cases.values()})
        return {task: [name for name, c in self.cases.items() if c.task == task] for task in tasks}

    def columns(self, members: list[str]) -> dict[str, dict[str, Column]]:
        """Return region -> metric -> case -> value, for some of the cases."""
        table: dict[str, dict[str, Column]] = {}
        for case in members:
            for region, values in self.cases[case].rows().items():
                metrics = table.setdefault(region, {name: {} for name in METRICS})
                for name in METRICS:
                    metrics[name][case] = values[name]
        return table

    def summary(self, *, by_task: bool = False) -> dict[str, dict[str, dict[str, Summary]]]:
        """Return group -> region -> metric -> summary."""
        return {
            group: {
                region: {name: summarize(list(column.values())) for name, column in metrics.items()}
                for region, metrics in self.columns(members).items()
            }
            for group, members in self.groups(by_task=by_task).items()
        }


def evaluate_folders(
    predictions: str | Path,
    references: str | Path,
    *,
    on_step: Callable[[int, int], None] | None = None,
    **options: str | float | None,
) -> Cohort:
    """Score every mask of a folder whose case has a reference.

    Parameters
    ----------
    predictions, references : str or Path
        Folders, matched by `pair_up`.
    on_step : callable, optional
        Called as ``on_step(done, total)`` after each case.
    **options
        As `evaluate`.

    Returns
    -------
    Cohort
        A case that cannot be scored is listed and costs no other.

    Raises
    ------
    CaseError
        If nothing matches, or no case can be scored.
    """
    pairs = pair_up(Path(predictions), Path(references))
    cases: dict[str, Evaluation] = {}
    failed: dict[str, str] = {}
    for done, (case, prediction, reference) in enumerate(pairs.matched, 1):
        try:
            cases[case] = evaluate(prediction, reference, **options)  # type: ignore[arg-type]
        except BratsError as error:
            failed[case] = str(error)
        if on_step is not None:
            on_step(done, len(pairs.matched))
    if not cases:
        raise CaseError(f"no case could be scored; the first: {next(iter(failed.values()))}")
    return Cohort(cases, pairs.unmatched, failed)


def compare_cohorts(first: Cohort, second: Cohort) -> dict[str, dict[str, Comparison]]:
    """Compare two methods on the cases that both have, per region and metric.

    All tests count as one family for Holm's correction. Metrics of which neither more nor
    less is better are left out.

    Raises
    ------
    CaseError
        If the two have no case in common.
    """
    members = [case for case in first.cases if case in second.cases]
    if not members:
        raise CaseError("the two methods have no scored case in common; compare the same cases")
    ours, theirs = first.columns(members), second.columns(members)
    found: dict[tuple[str, str], Comparison] = {}
    for region, metrics in ours.items():
        for name, metric in METRICS.items():
            if metric.better == NONE or region not in theirs:
                continue
            values = [metrics[name].get(case) for case in members]
            others = [theirs[region][name].get(case) for case in members]
            losses = (
                [None if value is None else metric.loss(value) for value in column]
                for column in (values, others)
            )
            found[region, name] = compare(values, others, *losses)
    corrected = holm([comparison.p for comparison in found.values()])
    result: dict[str, dict[str, Comparison]] = {}
    for ((region, name), comparison), p in zip(found.items(), corrected, strict=True):
        result.setdefault(region, {})[name] = replace(comparison, p_holm=p)
    return result


def win_loss(first: Cohort, second: Cohort, metric: str = "dice") -> dict[str, dict[str, str]]:
    """Return case -> region -> ``"win"``, ``"loss"`` or ``"tie"`` of the first method."""
    row = METRICS[metric]
    outcome: dict[str, dict[str, str]] = {}
    for case in (case for case in first.cases if case in second.cases):
        ours, theirs = first.cases[case].rows(), second.cases[case].rows()
        for region in ours.keys() & theirs.keys():
            a, b = ours[region][metric], theirs[region][metric]
            if a is not None and b is not None:
                gain = row.loss(b) - row.loss(a) if a != b else 0.0
                word = "tie" if gain == 0 else "win" if gain > 0 else "loss"
                outcome.setdefault(case, {})[region] = word
    return {case: dict(sorted(regions.items())) for case, regions in outcome.items()}


def write_csv(path: str | Path, cases: Mapping[str, Evaluation]) -> Path:
    """Write one row per case and region, one column per metric, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file.
    cases : Mapping[str, Evaluation]
        By case id.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    rows = [row for case, one in cases.items() for row in score_cells(case, one.task, one.scores)]
    return write_text_atomic(path, csv_text(SCORE_HEADER, rows))


def write_lesions(path: str | Path, cases: Mapping[str, Evaluation]) -> Path:
    """Write one row per case, lesion-wise rule, region and lesion, whole or not at all.

    Parameters
    ----------
    path, cases
        As of `write_csv`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    rows = [row for case, one in cases.items() for row in lesion_cells(case, one.task, one.scores)]
    return write_text_atomic(path, csv_text(LESION_HEADER, rows))


def read_csv(path: str | Path) -> dict[str, dict[str, Column]]:
    """Return region -> metric -> case -> value of a table that `write_csv` wrote.

    Parameters
    ----------
    path : str or Path
        The file. Columns that it lacks are metrics without values.

    Raises
    ------
    CaseError
        If it cannot be read, is no such table, or holds no case.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CaseError(f"cannot read {str(path)!r}: {reason}; give a table of scores") from error
    if not rows or not {"case", "region", "dice"} <= rows[0].keys():
        raise CaseError(
            f"{str(path)!r} is no table of scores with columns case, region, dice; "
            "write one with napari-brats evaluate --csv"
        )
    table: dict[str, dict[str, Column]] = {}
    for line, row in enumerate(rows, 2):
        metrics = table.setdefault(row["region"], {name: {} for name in METRICS})
        for name in METRICS:
            metrics[name][row["case"]] = _number(
                row.get(name) or "", f"{path}, line {line}, {name}"
            )
    return table


def _number(text: str, place: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        raise CaseError(
            f"{place}: {text!r} is no number; write the table with napari-brats evaluate --csv"
        ) from None
    return value if value is None or math.isfinite(value) else None
