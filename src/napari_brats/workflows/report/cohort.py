"""The report about many patients, from a table of scores."""

from pathlib import Path
from typing import Any

from napari_brats.metrics.scores import EMPTY_DISTANCE_RULE, EMPTY_RULE
from napari_brats.metrics.statistics import summarize
from napari_brats.metrics.table import METRICS
from napari_brats.regions import REGIONS
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.evaluate_folders import Column, read_csv
from napari_brats.workflows.figures import Options
from napari_brats.workflows.figures.cohort import bland_altman, boxes, raincloud
from napari_brats.workflows.outputs import check_file
from napari_brats.workflows.report.page import picture, render

_SUMMARY = ("dice", "hd95_mm", "nsd", "lesionwise_2023_dice", "lesionwise_2026_dice")
_CASES = ("dice", "hd95_mm", "volume_ml", "reference_ml")
_WORST = 5


def report_cohort(table: Path, *, output: Path | None = None) -> Path:
    """Write one HTML file about a table of scores.

    Parameters
    ----------
    table : Path
        As ``evaluate --csv`` writes it.
    output : Path, optional
        ``<table>_report.html`` beside the table by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If the table cannot be read, or nothing can be written there.
    """
    output = output or table.with_name(f"{table.stem}_report.html")
    check_file(output, (".html",), "--output")
    scores = read_csv(table)
    regions = [name for name in REGIONS if name in scores]
    methods = {table.stem: scores}
    cases = list(dict.fromkeys(case for name in scores for case in scores[name]["dice"]))
    content = render(
        "cohort.html",
        title=table.stem,
        table=table.name,
        cases=cases,
        regions=regions,
        titles=REGIONS,
        scores=scores,
        summary=_summary(scores, regions),
        undefined=_undefined(scores, regions),
        worst=_worst(scores, regions),
        columns=[METRICS[name] for name in _CASES],
        rules=[METRICS[name] for name in dict.fromkeys((*_SUMMARY, *_CASES))],
        empty=f"{EMPTY_RULE} {EMPTY_DISTANCE_RULE}",
        pictures=[
            {"source": picture(boxes(methods, Options())), "text": "Scores of every case."},
            {"source": picture(raincloud(methods, Options())), "text": "How Dice is spread."},
            {
                "source": picture(bland_altman(methods, Options())),
                "text": "Predicted against reference volumes (Bland-Altman).",
            },
        ],
    )
    return write_bytes_atomic(output, content)


def _summary(scores: dict[str, dict[str, Column]], regions: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "region": region,
            "metric": METRICS[name],
            "numbers": summarize(list(scores[region][name].values())),
        }
        for region in regions
        for name in _SUMMARY
        if any(value is not None for value in scores[region][name].values())
    ]


def _undefined(scores: dict[str, dict[str, Column]], regions: list[str]) -> list[str]:
    """Name the cases without a distance: their region was missed, or is not there.

    A table that has no distances at all tells nothing about that.
    """
    distances = [scores[region][name] for region in regions for name in ("hd95_mm", "nsd")]
    if all(value is None for column in distances for value in column.values()):
        return []
    return [
        f"{case}: {region}"
        for region in regions
        for case, value in scores[region]["hd95_mm"].items()
        if value is None
    ]


def _worst(
    scores: dict[str, dict[str, Column]], regions: list[str]
) -> list[tuple[str, str, float]]:
    """Return (case, region, Dice) of the lowest Dice."""
    found = [
        (case, region, value)
        for region in regions
        for case, value in scores[region]["dice"].items()
        if value is not None
    ]
    return sorted(found, key=lambda row: row[2])[:_WORST]
