"""Write what one model says of one patient: the mask, what is wanted beside it, the record."""

import math
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from napari_brats.case import Case, load_mask, save_segmentation
from napari_brats.errors import BratsError
from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.tasks import task_of
from napari_brats.networks.card import Card
from napari_brats.regions import REGIONS, encode_labels
from napari_brats.volumes import sha256_of, spacing_of, write_bytes_atomic, write_probabilities
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.record import Record, free_mask, now, software, write_record
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.evaluate import Evaluation
from napari_brats.workflows.figures import Options, encode
from napari_brats.workflows.figures.patient import overview
from napari_brats.workflows.report import findings
from napari_brats.workflows.report.patient import warnings
from napari_brats.workflows.segment import result_of
from napari_brats.workflows.segmented import SegmentResult
from napari_brats.workflows.subject import Subject

if TYPE_CHECKING:
    from napari_brats.inference import Prediction
    from napari_brats.workflows.cohort.job import Job, Maker
    from napari_brats.workflows.cohort.visit import Leg, Visit

LIKELY = 0.5
_FIGURE_DPI = 60
# Matplotlib's font cache is not made for several threads.
_DRAWING = Lock()


def write_results(visit: "Visit", leg: "Leg", prediction: "Prediction", seconds: float) -> Row:
    """Write all files of one mask, the record last.

    Parameters
    ----------
    visit, leg
        The patient, with its case, and the model.
    prediction : Prediction
        What the networks said.
    seconds : float
        What the stages before took.

    Returns
    -------
    Row

    Raises
    ------
    OutputError
        If something cannot be written; there is then no record.
    """
    start = perf_counter()
    job, maker, case = visit.job, leg.maker, visit.case
    assert case is not None
    layout = Layout(job.root)
    result = result_of(
        case,
        prediction,
        leg.cards,
        mirror=job.settings.mirror,
        output=None,
        seconds={"load": visit.load_seconds, "save": 0.0},
        total=seconds,
    )
    mask = free_mask(job, maker, lambda path: _holds(path, case, prediction))
    save_segmentation(result.segmentation, mask)
    subject = Subject(case, {maker.name: prediction.tissues})
    maps, figure = _write_beside(layout, job, maker, result, prediction, subject)
    evaluation = _evaluate(subject, mask)
    metrics = {} if evaluation is None else evaluation.rows()
    total = seconds + perf_counter() - start
    row = Row(
        patient=case.case_id,
        model=maker.name,
        state=State.DONE,
        warnings=_warnings(subject, leg.notices, leg.cards),
        source=str(job.source),
        mask=layout.relative(mask),
        probabilities=maps,
        figure=figure,
        volume_ml=result.volumes_ml,
        dice=_of_regions(metrics, "dice"),
        hd95_mm=_of_regions(metrics, "hd95_mm"),
        **_doubts(case, prediction),  # type: ignore[arg-type]
        device=result.device,
        engine=result.engine,
        seconds=round(total, 3),
        finished=now(),
        inputs_sha256=visit.inputs.sha256,
        weights_sha256=maker.sha256,
        settings_sha256=job.settings.sha256,
        mask_sha256=sha256_of(mask),
        software=software(),
    )
    written = {"output": layout.relative(mask), "labels": case.convention.name}
    run = {**result.to_json(), **written}
    task = "" if evaluation is None else evaluation.task
    write_record(layout, Record(row, visit.inputs, run, task, _plain(metrics)))
    return row


def _write_beside(
    layout: Layout,
    job: "Job",
    maker: "Maker",
    result: SegmentResult,
    prediction: "Prediction",
    subject: Subject,
) -> tuple[str, str]:
    """Write what is wanted beside the mask; return where probabilities and figure lie, or ""."""
    maps = figure = ""
    if job.settings.probabilities:
        path = layout.probabilities(job.case_id, maker.name)
        source = result.segmentation.source
        write_probabilities(path, prediction.probabilities, result.case.affine, source)
        maps = layout.relative(path)
    if job.settings.figures:
        path = layout.figure(job.case_id, maker.name)
        with _DRAWING:
            write_bytes_atomic(path, encode(overview(subject, Options()), dpi=_FIGURE_DPI))
        figure = layout.relative(path)
    return maps, figure


def _holds(path: Path, case: Case, prediction: "Prediction") -> bool:
    """Return whether a mask's file has the very voxels that would be saved."""
    try:
        there, _ = load_mask(path, case.convention)
        wanted = encode_labels(prediction.tissues, case.convention)
        return bool(np.array_equal(encode_labels(there, case.convention), wanted))
    except BratsError:
        return False


def _evaluate(subject: Subject, mask: Path) -> Evaluation | None:
    case = subject.case
    if case.reference is None or case.reference_path is None:
        return None
    task = task_of(case.convention.name)
    scores = score_case(subject.mask, case.reference, spacing_of(case.affine), task)
    return Evaluation(mask, case.reference_path, case.convention.name, task.name, scores)


def _of_regions(metrics: dict[str, dict[str, float | None]], name: str) -> dict[str, float]:
    values = {region: _finite(metrics[region][name]) for region in REGIONS if region in metrics}
    return {region: value for region, value in values.items() if value is not None}


def _plain(
    metrics: Mapping[str, Mapping[str, float | None]],
) -> dict[str, dict[str, float | None]]:
    """Return metrics as JSON can hold them: None for what is not finite."""
    return {region: {k: _finite(v) for k, v in one.items()} for region, one in metrics.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _warnings(subject: Subject, notices: list[str], cards: tuple[Card, ...]) -> tuple[str, ...]:
    found = warnings(subject, findings.find(subject.case, subject.mask), cards)
    return tuple(" ".join(line.split()) for line in dict.fromkeys((*notices, *found)))


def _doubts(case: Case, prediction: "Prediction") -> dict[str, object]:
    """Return where the networks hesitate, and where they contradict themselves."""
    low, high = findings.UNSURE
    maps = dict(zip(REGIONS, prediction.probabilities, strict=True))
    unsure = {name: np.count_nonzero((one >= low) & (one <= high)) for name, one in maps.items()}
    whole, core, enhancing = prediction.probabilities >= LIKELY
    unnested = np.count_nonzero((core & ~whole) | (enhancing & ~core))
    return {
        "unsure_ml": {name: float(voxels) * case.voxel_ml for name, voxels in unsure.items()},
        "unnested_ml": float(unnested) * case.voxel_ml,
    }
