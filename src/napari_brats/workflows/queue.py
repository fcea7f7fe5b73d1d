"""The review queue of a cohort: measure its masks, rank the patients, keep the order."""

import csv
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import load_mask
from napari_brats.errors import BratsError, CaseError
from napari_brats.metrics.overlap import joint_counts, region_overlap
from napari_brats.metrics.plausibility import oddities, surrounding_entropy
from napari_brats.metrics.ranking import PARTS, Measure, Ranked, rank, robust_z
from napari_brats.regions import REGIONS, label_convention
from napari_brats.volumes import (
    read_volume,
    recorded_convention,
    spacing_of,
    voxel_ml,
    write_text_atomic,
)
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.record import read_record
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import read_table

_HEAD = ("rank", "patient", "score", "why")

Measures = dict[str, Measure]


def build_queue(
    root: str | Path, *, on_step: Callable[[int, int], None] | None = None
) -> list[Ranked]:
    """Rank the patients of a cohort, write ``queue.csv`` into its folder and show it on its page.

    Parameters
    ----------
    root : str or Path
        Output folder of ``napari-brats cohort``.
    on_step : callable, optional
        Called as ``on_step(done, total)`` after each patient.

    Returns
    -------
    list of Ranked
        The worst first.

    Raises
    ------
    CaseError
        If there is no table of a cohort, or no patient in it.
    OutputError
        If the queue or the page cannot be written.
    """
    steps = rank_steps(Path(root))
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            ranked: list[Ranked] = end.value
            return ranked
        if on_step is not None:
            on_step(done, total)


def rank_steps(root: Path) -> Generator[tuple[int, int], None, list[Ranked]]:
    """Do `build_queue` and yield (done, total) after each patient."""
    from napari_brats.workflows.report.run import report_run

    if root.is_file():
        raise CaseError(f"{str(root)!r} is a file; give the output folder of napari-brats cohort")
    patients: dict[str, list[Row]] = {}
    for row in read_table(root):
        patients.setdefault(row.patient, []).append(row)
    if not patients:
        raise CaseError(f"the cohort in {str(root)!r} has no patients; run napari-brats cohort")
    cases = from_tables(patients)
    for done, (patient, rows) in enumerate(patients.items(), 1):
        cases[patient].update(from_masks(root, rows))
        yield done, len(patients)
    ranked = rank(cases)
    layout = Layout(root)
    write_queue(layout.queue, ranked)
    report_run(layout, [row for rows in patients.values() for row in rows], ranked)
    return ranked


def from_tables(patients: Mapping[str, Sequence[Row]]) -> dict[str, Measures]:
    """Measure what the table tells without opening a mask.

    Parameters
    ----------
    patients : Mapping[str, Sequence[Row]]
        The rows of each patient.
    """
    cases = {patient: _from_rows(rows) for patient, rows in patients.items()}
    every = [row for rows in patients.values() for row in rows if row.state == State.DONE]
    for model in dict.fromkeys(row.model for row in every):
        rows = [row for row in every if row.model == model]
        for region in REGIONS:
            volumes = [row.volume_ml.get(region) for row in rows]
            for row, z in zip(rows, robust_z(volumes), strict=True):
                if z is not None:
                    side = "above" if z > 0 else "below"
                    middle = np.median([one for one in volumes if one is not None])
                    detail = (
                        f"{region} of {row.volume_ml[region]:.1f} ml is far {side} the cohort's "
                        f"{middle:.1f} ml (z {z:+.1f}, {model})"
                    )
                    _worst(cases[row.patient], "volume", abs(z), detail)
    return cases


def from_masks(root: Path, rows: Sequence[Row]) -> Measures:
    """Measure one patient's masks: each for itself, and each pair.

    Parameters
    ----------
    root : Path
        The cohort's folder.
    rows : sequence of Row
        Of the patient, one a model.

    Returns
    -------
    dict of str to Measure
        A mask that cannot be read counts as failed.
    """
    found: Measures = {}
    masks: dict[str, NDArray[np.uint8]] = {}
    for row in rows:
        if row.state != State.DONE:
            continue
        by = f" ({row.model})" if len(rows) > 1 else ""
        try:
            tissues, affine = _mask(root, row)
            _add_oddities(found, tissues, spacing_of(affine), by)
            if row.probabilities:
                whole = read_volume(root / row.probabilities, ndim=4).data[..., 0]
                entropy = surrounding_entropy(whole, spacing_of(affine))
                _worst(found, "entropy", entropy or 0.0, by)
        except BratsError as error:
            _worst(found, "failed", 1.0, f"{row.model}: {error}")
        else:
            masks[row.model] = tissues
    if len({mask.shape for mask in masks.values()}) == 1 and len(masks) > 1:
        _add_disagreement(found, list(masks.values()), voxel_ml(affine))
    return found


def write_queue(path: Path, ranked: Sequence[Ranked]) -> Path:
    """Write the queue as CSV: rank, patient, score, reasons, and the points of each part.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_HEAD, *PARTS])
    for place, one in enumerate(ranked, 1):
        points = [f"{one.points.get(name, 0):.4f}" for name in PARTS]
        writer.writerow([place, one.case, f"{one.score:.4f}", "\n".join(one.reasons), *points])
    return write_text_atomic(path, text.getvalue())


def read_queue(root: str | Path) -> list[Ranked]:
    """Return the queue of a cohort's folder; empty if none was made.

    Raises
    ------
    CaseError
        If it cannot be read or is no queue.
    """
    path = Layout(Path(root)).queue
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file))
        return [
            Ranked(
                case=line["patient"],
                score=float(line["score"]),
                points={name: float(line[name]) for name in PARTS if float(line[name]) > 0},
                reasons=tuple(line["why"].splitlines()),
            )
            for line in lines
        ]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise CaseError(
            f"{str(path)!r} is no queue ({error}); make it again with napari-brats queue"
        ) from error


def _from_rows(rows: Sequence[Row]) -> Measures:
    found: Measures = {}
    for row in rows:
        by = f" ({row.model})" if len(rows) > 1 else ""
        if row.warnings:
            lines = " ".join(line if line.endswith(".") else f"{line}." for line in row.warnings)
            _worst(found, "warnings", len(row.warnings), f"{lines.removesuffix('.')}{by}")
        if row.state == State.FAILED:
            _worst(found, "failed", 1.0, f"{row.model} failed: {row.reason}")
        if row.state != State.DONE:
            continue
        if row.unsure_ml and sum(row.volume_ml.values()) > 0:
            share = sum(row.unsure_ml.values()) / sum(row.volume_ml.values())
            _worst(found, "unsure", share, by)
        if row.unnested_ml and row.volume_ml.get("WT"):
            _worst(found, "unnested", row.unnested_ml / row.volume_ml["WT"], by)
    return found


def _worst(found: Measures, name: str, value: float, detail: str) -> None:
    """Keep the larger of two measures."""
    if name not in found or value > found[name].value:
        found[name] = Measure(value, detail)


def _mask(root: Path, row: Row) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a mask by its own header, or, where another program emptied that, by its record."""
    path = root / row.mask
    labels = recorded_convention(path) or read_record(Layout(root).record(*row.key)).labels
    return load_mask(path, label_convention(labels))


def _add_oddities(
    found: Measures, tissues: NDArray[np.uint8], spacing_mm: NDArray[np.float64], by: str
) -> None:
    odd = oddities(tissues, spacing_mm)
    for name, value in (
        ("empty", float(odd.empty)),
        ("bare", odd.bare_share),
        ("far", float(odd.far_foci)),
        ("specks", float(odd.specks)),
    ):
        _worst(found, name, value, by)


def _add_disagreement(
    found: Measures, masks: Sequence[NDArray[np.uint8]], voxel_volume_ml: float
) -> None:
    pairs = [joint_counts(one, other) for one, other in combinations(masks, 2)]
    dice = {
        name: float(np.mean([region_overlap(pair, name).dice for pair in pairs]))
        for name in REGIONS
    }
    whole = [region_overlap(pair, "WT") for pair in pairs]
    apart = max(pair.fp + pair.fn for pair in whole) * voxel_volume_ml
    words = ", ".join(f"{name} {value:.2f}" for name, value in dice.items())
    detail = f"{words}; up to {apart:.1f} ml of WT apart"
    found["disagreement"] = Measure(1 - float(np.mean(list(dice.values()))), detail)
