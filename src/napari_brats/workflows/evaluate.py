"""Score one mask against another."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_brats.case import cautions, load_mask
from napari_brats.errors import CaseError, LabelError
from napari_brats.metrics.case_scores import CaseScores, score_case
from napari_brats.metrics.scores import FullRegionScore
from napari_brats.metrics.surface import NSD_TOLERANCE_MM
from napari_brats.metrics.tasks import TASKS, task_of
from napari_brats.naming import recognize
from napari_brats.regions import LABEL_CONVENTIONS, LabelConvention, label_convention
from napari_brats.volumes import Volume, recorded_convention, require_same_grid, spacing_of
from napari_brats.workflows.mask_names import naming_of


@dataclass(frozen=True)
class Evaluation:
    """The scores of a prediction.

    Parameters
    ----------
    prediction, reference : Path
        The files compared.
    convention : str
        Row of `LABEL_CONVENTIONS` that the reference was read with.
    task : str
        Row of `TASKS` whose rules were taken.
    scores : CaseScores
        Everything that was measured.
    notes : tuple of str
        What to know about how the reference was read.
    """

    prediction: Path
    reference: Path
    convention: str
    task: str
    scores: CaseScores
    notes: tuple[str, ...] = ()

    @property
    def regions(self) -> Mapping[str, FullRegionScore]:
        """Scores of WT, TC and ET as a whole."""
        return self.scores.regions

    def to_json(self) -> dict[str, object]:
        """Return what ``napari-brats evaluate --json`` prints."""
        return self.scores.to_json()

    def rows(self) -> dict[str, dict[str, float | None]]:
        """Return the `METRICS` of each region, WT, TC and ET first; infinite where undefined."""
        return self.scores.rows()


def evaluate(
    prediction: str | Path,
    reference: str | Path,
    *,
    labels: str | None = None,
    task: str | None = None,
    hd95: str = "directed",
    tolerance_mm: float = NSD_TOLERANCE_MM,
) -> Evaluation:
    """Compare a mask with a reference mask.

    Parameters
    ----------
    prediction : str or Path
        File of the mask to score.
    reference : str or Path
        File of the mask to compare with, or the folder of a patient that has one.
    labels : str, optional
        Label convention of masks that do not record their own; by default the reference's, as
        its file or its name tells.
    task : str, optional
        Row of `TASKS` for the lesion-wise rules; by default the convention's.
    hd95 : str
        Row of `HD95_RULES`.
    tolerance_mm : float
        For NSD.

    Returns
    -------
    Evaluation

    Raises
    ------
    CaseError
        If a file cannot be read, or they lie on different grids; the message names the
        number that differs.
    LabelError
        If no convention is known, or a mask holds codes that it does not have.
    """
    prediction, reference = Path(prediction), Path(reference)
    if os.path.isdir(prediction):
        raise CaseError(f"{str(prediction)!r} is a folder; give the file of the mask to score")
    reference, convention, notes = _reference(reference, labels)
    given = label_convention(labels) if labels else convention
    predicted = Volume(*load_mask(prediction, given), path=prediction)
    expected = Volume(*load_mask(reference, convention), path=reference)
    require_same_grid(predicted, expected)
    row = TASKS[task] if task else task_of(convention.name)
    scores = score_case(
        predicted.data,
        expected.data,
        spacing_of(expected.affine),
        row,
        hd95=hd95,
        tolerance_mm=tolerance_mm,
    )
    return Evaluation(prediction, reference, convention.name, row.name, scores, notes)


def _reference(path: Path, labels: str | None) -> tuple[Path, LabelConvention, tuple[str, ...]]:
    """Return the reference's file, what its codes mean, and what to know about it."""
    if not os.path.exists(path):
        raise CaseError(f"{str(path)!r} does not exist; check the path of the reference mask")
    if os.path.isfile(path):
        known = recorded_convention(path) or labels
        row = (known, ()) if known else naming_of(path)
        if row is None:
            raise LabelError(
                f"neither {str(path)!r} nor its name tells what its codes mean; choose a label "
                f"convention with --labels: {', '.join(LABEL_CONVENTIONS)}"
            )
        return path, label_convention(row[0]), row[1]
    patient = recognize(path)
    if patient.reference is None:
        raise CaseError(
            f"{patient.case_id!r} in {str(path)!r} has no reference mask; give the file of one"
        )
    known = recorded_convention(patient.reference) or labels
    notes = patient.notes if known else (*patient.notes, *cautions(patient))
    return patient.reference, label_convention(known or patient.convention_name), notes
