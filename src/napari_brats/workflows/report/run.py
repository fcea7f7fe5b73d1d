"""The page about a run over many patients: what was done, what failed, how the masks are."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_brats.metrics.ranking import Ranked
from napari_brats.metrics.statistics import summarize
from napari_brats.metrics.table import METRICS
from napari_brats.regions import REGIONS
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.evaluate_folders import read_csv
from napari_brats.workflows.figures import Options
from napari_brats.workflows.figures.cohort import boxes
from napari_brats.workflows.report.page import picture, render

MOST_ROWS = 2000
"""More lines than this are left to the table: a browser must still open the page."""


MOST_RANKED = 50
"""So many patients of the queue stand on the page."""


def report_run(layout: Layout, rows: Sequence[Row], ranked: Sequence[Ranked] = ()) -> Path:
    """Write the page of a run into its output folder.

    Parameters
    ----------
    layout : Layout
        The output folder.
    rows : sequence of Row
        All rows of the table.
    ranked : sequence of Ranked
        The review queue, if it was made from these rows.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    models = list(dict.fromkeys(row.model for row in rows))
    content = render(
        "run.html",
        name=layout.root.name,
        table=layout.csv.name,
        patients=len({row.patient for row in rows}),
        models=models,
        counts=Counter(row.state.value for row in rows),
        states=[state.value for state in State],
        failed=[row for row in rows if row.state is State.FAILED],
        scored=[_scored(model, rows) for model in models if _dices(model, rows, "WT")],
        volumes=[_volumes(model, rows) for model in models],
        pictures=_pictures(layout, models),
        queue=layout.queue.name,
        ranked=[one for one in ranked[:MOST_RANKED] if one.reasons],
        unusual=sum(bool(one.reasons) for one in ranked),
        was_ranked=bool(ranked),
        files=_files(rows),
        regions=list(REGIONS),
        rows=rows[:MOST_ROWS],
        left_out=max(0, len(rows) - MOST_ROWS),
    )
    return write_bytes_atomic(layout.html, content)


def _files(rows: Sequence[Row]) -> dict[str, list[tuple[str, str]]]:
    """Return what to look at of each patient: (model, its picture, else its mask)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if row.figure or row.mask:
            found.setdefault(row.patient, []).append((row.model, row.figure or row.mask))
    return found


def _dices(model: str, rows: Sequence[Row], region: str) -> list[float]:
    return [row.dice[region] for row in rows if row.model == model and region in row.dice]


def _scored(model: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "model": model,
        "regions": {region: summarize(list(_dices(model, rows, region))) for region in REGIONS},
    }


def _volumes(model: str, rows: Sequence[Row]) -> dict[str, Any]:
    done = [row for row in rows if row.model == model and row.state is State.DONE]
    seconds = [row.seconds for row in done if row.seconds is not None]
    return {
        "model": model,
        "done": len(done),
        "empty": sum(row.volume_ml.get("WT") == 0 for row in done),
        "warned": sum(bool(row.warnings) for row in done),
        "median": {
            region: summarize([row.volume_ml.get(region) for row in done]).median
            for region in REGIONS
        },
        "seconds": summarize(list(seconds)).median,
    }


def _pictures(layout: Layout, models: Sequence[str]) -> list[dict[str, str]]:
    methods = {
        model: read_csv(layout.scores(model)) for model in models if layout.scores(model).exists()
    }
    if not methods:
        return []
    text = f"{METRICS['dice'].title} and other scores of every patient, by region and model."
    return [{"source": picture(boxes(methods, Options())), "text": text}]
