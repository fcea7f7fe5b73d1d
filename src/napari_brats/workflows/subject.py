"""`Subject`: a patient with the masks that a figure, a report or a conversion is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, load_case
from napari_brats.errors import CaseError
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.naming import recognize, split_extension
from napari_brats.plugin.masks import mask_title, read_mask, saved_masks


@dataclass(frozen=True)
class Subject:
    """A patient and masks.

    Parameters
    ----------
    case : Case
        The patient; its reference is what the masks are compared with.
    masks : Mapping[str, NDArray[np.uint8]], shape (X, Y, Z)
        `Tissue` codes on the patient's grid, by title; one at least.
    files : Mapping[str, Path]
        Where masks were read from, by title.
    """

    case: Case
    masks: Mapping[str, NDArray[np.uint8]]
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What made the first mask."""
        return next(iter(self.masks))

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The first mask, shape (X, Y, Z)."""
        return self.masks[self.title]

    @property
    def modality(self) -> str:
        """The modality to lay masks over: FLAIR shows all of a tumor."""
        return "flair" if "flair" in self.case.images else next(iter(self.case.images))

    @property
    def heading(self) -> str:
        """Patient and masks, for a figure's first line."""
        return f"{self.case.case_id}    {', '.join(self.masks)}".rstrip()

    def details(self) -> str:
        """Return the Dice of the first mask where there is a reference; of several, whose it is."""
        if self.case.reference is None:
            text = "no reference mask"
        else:
            scores = score_regions(joint_counts(self.mask, self.case.reference), self.case.voxel_ml)
            whose = f" of {self.title}" if len(self.masks) > 1 else ""
            numbers = "   ".join(f"{name} {s.dice:.3f}" for name, s in scores.items())
            text = f"Dice{whose}   {numbers}"
        return text if self.mask.any() else f"{text}    no tumor predicted"


def load_subject(
    patient: str | Path,
    masks: Sequence[Path] = (),
    *,
    reference: Path | None = None,
    labels: str | None = None,
) -> Subject:
    """Read a patient and masks of it.

    Parameters
    ----------
    patient : str or Path
        The patient's folder or one of its files.
    masks : sequence of Path
        Masks to look at; by default the newest that lies beside the patient.
    reference : Path, optional
        Mask to compare with, instead of the patient's own reference.
    labels : str, optional
        Label convention of all masks that do not record their own.

    Returns
    -------
    Subject

    Raises
    ------
    CaseError
        If there is no mask, or one lies on another grid; the message says what to do.
    LabelError
        If a mask holds codes that the convention does not know.
    """
    patient_files = recognize(patient)
    if reference is not None:
        patient_files = replace(patient_files, reference=reference)
    case = load_case(patient_files, labels=labels)
    paths = list(masks) or saved_masks(next(iter(case.image_paths.values())), case.case_id)[:1]
    if not paths:
        raise CaseError(
            f"{case.case_id!r} has no saved mask beside it; run napari-brats segment, or give "
            "the file of a mask with --mask"
        )
    files = _titled(paths, case.case_id)
    return Subject(case, {title: read_mask(path, case) for title, path in files.items()}, files)


def _titled(paths: Sequence[Path], case_id: str) -> dict[str, Path]:
    """Return masks by what made them, or by file and folder where several have that."""
    stems = [(split_extension(path.name) or (path.stem, ""))[0] for path in paths]
    choices = (
        [mask_title(path, case_id) for path in paths],
        stems,
        [f"{path.absolute().parent.name}/{stem}" for path, stem in zip(paths, stems, strict=True)],
    )
    named: dict[str, Path] = {}
    for place, path in enumerate(paths):
        own = (names[place] for names in choices if names.count(names[place]) == 1)
        named[next(own, str(path))] = path
    return named
