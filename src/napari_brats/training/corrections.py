"""Which cases of a folder a model can learn from: those whose mask a person stands for.

Only names, reviews and checksums are looked at, so that a list is there at once; images are
read later. Importing this module does not import torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, load_case, require_modalities
from napari_brats.editing.review import mask_of, read_review
from napari_brats.editing.standing import outdated
from napari_brats.editing.states import State
from napari_brats.errors import BratsError, CaseError, TrainingError
from napari_brats.naming import PatientFiles, find_patients
from napari_brats.plugin.masks import read_mask, saved_masks
from napari_brats.samples import sample_data_dir

LEAST_CASES = 2


@dataclass(frozen=True, eq=False)
class Lesson:
    """A case and the one mask that counts as its truth."""

    files: PatientFiles
    mask: Path

    @property
    def image(self) -> Path:
        """A file by which the case is found."""
        return next(iter(self.files.images.values()))

    def read(self) -> tuple[Case, NDArray[np.uint8]]:
        """Return the case, and the mask as (X, Y, Z) `Tissue` codes.

        Raises
        ------
        CaseError
            If a file is damaged, or the mask lies on another grid.
        LabelError
            If the mask holds codes that its convention does not know.
        """
        case = load_case(self.image)
        return case, read_mask(self.mask, case)


@dataclass(frozen=True)
class Correction:
    """A case, and the mask to learn from or why there is none.

    Parameters
    ----------
    files : PatientFiles
        The case.
    lesson : Lesson or None
        What is learned from.
    reader : str
        Who stands for it; empty where nobody does.
    why_not : str
        Why the case does not count, in a few words; empty if it does.
    """

    files: PatientFiles
    lesson: Lesson | None = None
    reader: str = ""
    why_not: str = ""

    @property
    def newest(self) -> Path | None:
        """The newest saved mask of the case, whether it counts or not."""
        return next(iter(_saved(self.files)), None)


def find_corrections(
    folders: Sequence[Path], modalities: Sequence[str], model: str, *, unreviewed: bool = False
) -> list[Correction]:
    """Look at every case of some folders.

    The mask of a case is the one that its last review names. Without a review it is none, or,
    with ``unreviewed``, the newest saved mask, else the reference.

    Parameters
    ----------
    folders : sequence of Path
        Of patients, of any edition.
    modalities : sequence of str
        Those that a case must have.
    model : str
        Whose they are, for the reason.
    unreviewed : bool
        Take cases that nobody marked as done, too.

    Returns
    -------
    list of Correction
        In the order of `find_patients`, each case once.

    Raises
    ------
    CaseError
        If a folder does not exist.
    """
    found: dict[Path, Correction] = {}
    for folder in folders:
        for files in find_patients(folder):
            # Not the folder: in the Decathlon's all patients lie in one.
            image = next(iter(files.images.values()))
            found.setdefault(image, _correction(files, modalities, model, unreviewed))
    return list(found.values())


def tell(corrections: Sequence[Correction], on_notice: Callable[[str], None]) -> None:
    """Say of each case which mask counts, or why none does."""
    for found in corrections:
        if found.lesson is None:
            on_notice(f"left out {found.files.case_id}: {found.why_not}")
        else:
            by = f"reviewed by {found.reader}" if found.reader else "not reviewed"
            on_notice(f"{found.files.case_id}: {found.lesson.mask.name}, {by}")


def require_enough(corrections: Sequence[Correction]) -> None:
    """Raise TrainingError if fewer cases count than can be learned from and compared on."""
    count = sum(found.lesson is not None for found in corrections)
    if count >= LEAST_CASES:
        return
    why = sorted({found.why_not for found in corrections if found.why_not})
    because = f" ({'; '.join(why[:3])}{'; ...' * (len(why) > 3)})" if why else ""
    raise TrainingError(
        f"{count} of {len(corrections)} cases can be learned from{because}; expected "
        f"{LEAST_CASES} or more, better 5: mark corrected masks with `napari-brats review CASE "
        "--done`, or take every mask with --all"
    )


def sample_lessons(modalities: Sequence[str]) -> list[Lesson]:
    """Return the bundled patients that have all of some modalities; none where none came along."""
    try:
        patients = find_patients(sample_data_dir())
    except CaseError:
        return []
    return [
        Lesson(files, files.reference)
        for files in patients
        if files.reference is not None and all(name in files.images for name in modalities)
    ]


def _correction(
    files: PatientFiles, modalities: Sequence[str], model: str, unreviewed: bool
) -> Correction:
    try:
        require_modalities(files, modalities, f"model {model!r}")
        reviewed = _reviewed(files)
    except BratsError as error:
        return Correction(files, why_not=str(error))
    if not reviewed.why_not or not unreviewed:
        return reviewed
    masks = [*_saved(files), *([files.reference] if files.reference else [])]
    if not masks:
        return Correction(files, why_not="it has neither a saved mask nor a reference")
    return Correction(files, Lesson(files, masks[0]))


def _reviewed(files: PatientFiles) -> Correction:
    review = read_review(files)
    if not review.entries:
        masks = _saved(files)
        what = f"not reviewed: {masks[0].name}" if masks else "it has no saved mask"
        return Correction(files, why_not=what)
    if review.state != State.DONE:
        return Correction(files, why_not=f"its review: {review.state}")
    entry = review.last
    mask, why = mask_of(files, entry), outdated(files, entry)
    if mask is None or why:
        return Correction(files, why_not=why or "its review names no mask")
    return Correction(files, Lesson(files, mask), entry.reader)


def _saved(files: PatientFiles) -> list[Path]:
    """Return the saved masks, the newest first."""
    return saved_masks(next(iter(files.images.values())), files.case_id)
