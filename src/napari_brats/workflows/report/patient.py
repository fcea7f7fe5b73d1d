"""The report about one patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_brats.errors import CaseError
from napari_brats.metrics.case_scores import CaseScores, score_case
from napari_brats.metrics.plausibility import SMALL_ML
from napari_brats.metrics.table import METRICS
from napari_brats.metrics.tasks import task_of
from napari_brats.networks.card import Card
from napari_brats.regions import PALETTES, REGIONS, TISSUE_TITLES
from napari_brats.volumes import grid_difference, read_volume, spacing_of, write_bytes_atomic
from napari_brats.volumes.volume import Volume
from napari_brats.workflows.figures import Options
from napari_brats.workflows.figures.patient import contours, difference, modalities
from napari_brats.workflows.outputs import check_file, folder_beside
from napari_brats.workflows.report import findings, origin
from napari_brats.workflows.report.findings import Certainty, Findings
from napari_brats.workflows.report.page import picture, render
from napari_brats.workflows.subject import Subject, load_subject

_SCORES = ("dice", "hd95_mm", "nsd", "sensitivity", "precision", "volume_difference_ml")


def report_patient(
    patient: Path,
    *,
    mask: Path | None = None,
    reference: Path | None = None,
    probabilities: Path | None = None,
    before: Path | None = None,
    run: Path | None = None,
    labels: str | None = None,
    palette: str = Options.palette,
    output: Path | None = None,
) -> Path:
    """Write one HTML file about a patient's mask.

    Parameters
    ----------
    patient : Path
        The patient's folder or one of its files.
    mask, reference, labels
        As `load_subject`.
    probabilities : Path, optional
        4D NIfTI of WT, TC, ET, as ``segment --probabilities`` writes it.
    before : Path, optional
        An earlier mask; the report then says what was changed since.
    run : Path, optional
        What ``segment --json`` printed.
    palette : str
        Row of `PALETTES`.
    output : Path, optional
        ``<case>_<mask>_report.html`` beside the patient by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If something cannot be read, or nothing can be written there.
    """
    if output is not None:
        check_file(output, (".html",), "--output")
    subject = load_subject(patient, [mask] if mask else [], reference=reference, labels=labels)
    case = subject.case
    output = output or _beside(patient, subject)
    said = {} if run is None else origin.run_facts(run, case.case_id)
    changes = None if before is None else origin.changes_since(before, case, subject.mask)
    found = findings.find(case, subject.mask)
    sure = None if probabilities is None else _certainty(probabilities, subject)
    cards = origin.cards_of(subject.title, said)
    journals, trouble = origin.journals_of(case)
    scores = _scores(subject)
    content = render(
        "patient.html",
        case=case,
        subject=subject,
        mask_file=subject.files[subject.title].name,
        summary=summary(found),
        found=found,
        before=None if case.reference is None else findings.find(case, case.reference).volumes_ml,
        certainty=sure,
        scores=scores,
        metrics=[METRICS[name] for name in _SCORES],
        regions=REGIONS,
        colors=_colors(palette),
        pictures=_pictures(subject, Options(palette=palette)),
        files=origin.files_of(subject),
        cards=[(card.name, origin.card_facts(card)) for card in cards],
        run=said,
        changes=changes,
        earlier=None if before is None else before.name,
        journals=journals,
        warnings=[*warnings(subject, found, cards), *trouble],
        rules=findings,
    )
    return write_bytes_atomic(output, content)


def _beside(patient: Path, subject: Subject) -> Path:
    path = folder_beside(patient) / f"{subject.case.case_id}_{subject.title}_report.html"
    check_file(path, (".html",), "--output")
    return path


def _colors(palette: str) -> dict[str, Any]:
    return {TISSUE_TITLES[tissue]: color for tissue, color in PALETTES[palette].tissues.items()}


def summary(found: Findings) -> str:
    """Say the most important in plain words."""
    if not found.places:
        return "The mask holds no tumor."
    place, volume = found.places["WT"], found.volumes_ml["WT"]
    count = len(found.foci)
    few = {0: f"specks under {SMALL_ML:g} ml", 1: "one part"}
    parts = few.get(count, f"{count} separate parts")
    side = "on both sides" if place.side == "both sides" else f"on the patient's {place.side}"
    midline = f"at least {place.nearest_mm:.0f} mm from the midline"
    if place.nearest_mm == 0:
        crosses = min(place.left_ml, place.right_ml) > 0
        midline = f"{'crossing' if crosses else 'reaching'} the midline"
    shares = ", ".join(f"{share:.0%} {name}" for name, share in found.shares.items())
    return (
        f"The mask shows a tumor of {volume:.1f} ml in {parts}, {side}, {midline}. "
        f"It consists of {shares}."
    )


def warnings(subject: Subject, found: Findings, cards: Sequence[Card]) -> list[str]:
    """Return what a reader should know before trusting the numbers, one line each."""
    case, tissues = subject.case, subject.mask
    notes = list(case.notes)
    if case.missing:
        notes.append(f"Missing: {', '.join(case.missing)}. The tumor may look smaller than it is.")
    if not found.places:
        notes.append("The mask holds no tumor. That is no proof that there is no tumor.")
    edges = [np.take(tissues, place, axis) for axis in range(3) for place in (0, -1)]
    if any(edge.any() for edge in edges):
        notes.append("The mask touches the border of the volume: part of the tumor may be outside.")
    if found.small_foci:
        notes.append(
            f"{found.small_foci} specks under {SMALL_ML:g} ml are in the volumes, but "
            "not among the foci."
        )
    outside = tissues.astype(np.bool_) & ~np.logical_or.reduce(
        [image != 0 for image in case.images.values()]
    )
    volume = float(outside.sum()) * case.voxel_ml
    if volume >= SMALL_ML:
        notes.append(f"{volume:.1f} ml of the mask lie where all images are 0.")
    directions = np.abs(case.affine[:3, :3] / spacing_of(case.affine)).max(axis=0)
    angle = float(np.rad2deg(np.arccos(np.clip(directions.min(), -1, 1))))
    if angle > 5:
        notes.append(f"The grid is turned by {angle:.0f} degrees: sides are less certain.")
    if not cards:
        notes.append(
            f"No model named {subject.title!r} is installed here: how the mask was made is known "
            "from its file name only."
        )
    return notes


def _scores(subject: Subject) -> CaseScores | None:
    case = subject.case
    if case.reference is None:
        return None
    task = task_of(case.convention.name)
    return score_case(subject.mask, case.reference, spacing_of(case.affine), task)


def _certainty(path: Path, subject: Subject) -> Mapping[str, Certainty]:
    volume = read_volume(path, ndim=4)
    modality, image = next(iter(subject.case.images.items()))
    own = Volume(image, subject.case.affine, subject.case.image_paths[modality])
    apart = grid_difference(own, volume)
    if apart is not None:
        raise CaseError(f"{apart}; give probabilities that were made for this patient")
    return findings.certainty(volume.data, subject.case)


def _pictures(subject: Subject, options: Options) -> list[dict[str, Any]]:
    """Return pictures with what they show, for those who see them and those who do not."""
    found = [
        {
            "source": picture(modalities(subject, options)),
            "text": "Every modality on the slices of three planes that show the most tumor. "
            "Filled: the mask. Dashed: the reference, where there is one.",
        },
        {
            "source": picture(contours(subject, options)),
            "text": "Outlines of the whole tumor, its core and its enhancing part on axial slices.",
        },
    ]
    if subject.case.reference is not None:
        found.append(
            {
                "source": picture(difference(subject, options)),
                "text": "Mask and reference side by side, and where they differ.",
            }
        )
    return found
