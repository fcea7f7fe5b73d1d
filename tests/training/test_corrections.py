"""Which mask of which case is learned from, and why none is."""

import os

import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.review import mark
from napari_brats.editing.states import State
from napari_brats.errors import CaseError
from napari_brats.naming import recognize
from napari_brats.training.corrections import Lesson, find_corrections, sample_lessons

ALL = ("flair", "t1ce", "t2", "t1")


@pytest.fixture
def files(tmp_path, make_patient_folder):
    return recognize(make_patient_folder(tmp_path / "data", reference=False))


def save_mask(files, name="net", value=0):
    case = load_case(files.folder)
    tissues = np.full(case.shape, value, np.uint8)
    path = files.folder / f"{files.case_id}_{name}_mask.nii.gz"
    return save_segmentation(segmentation_of(case, tissues), path)


def look(files, modalities=ALL, **options):
    (found,) = find_corrections([files.folder.parent], modalities, "net", **options)
    assert (found.lesson is None) == bool(found.why_not)
    return found


def test_an_empty_folder(tmp_path):
    """No patient, no case; a folder that is not there is a mistake."""
    assert find_corrections([tmp_path], ALL, "net") == []
    with pytest.raises(CaseError, match="does not exist"):
        find_corrections([tmp_path / "gone"], ALL, "net")


def test_only_what_somebody_stands_for_counts(files):
    """No mask, a mask that nobody reviewed, a review that is not done; then it counts."""
    assert look(files).why_not == "it has no saved mask"
    mask = save_mask(files)
    assert look(files).why_not == f"not reviewed: {mask.name}"
    mark(files, State.SECOND_READER, "Ada")
    assert "needs second reader" in look(files).why_not
    mark(files, State.DONE, "Ben")
    found = look(files)
    assert (found.lesson.mask, found.reader) == (mask, "Ben")


def test_a_mask_that_changed_is_not_reviewed_any_more(files):
    """One stroke after the review, or the file gone, and the case is left out with the reason."""
    mask = save_mask(files)
    mark(files, State.DONE, "Ada")
    save_mask(files, value=2)
    assert "was changed after its review" in look(files).why_not
    mask.unlink()
    assert "not there any more" in look(files).why_not


def test_the_reviewed_mask_counts_not_the_newest_nor_the_reference(tmp_path, make_patient_folder):
    """Of a reference, a reviewed and a newer mask the reviewed one is learned from."""
    files = recognize(make_patient_folder(tmp_path / "data"))
    reviewed = save_mask(files, "mine")
    os.utime(reviewed, (1, 1))
    mark(files, State.DONE, "Ada", mask=reviewed)
    save_mask(files, "net")
    assert look(files).lesson.mask == reviewed
    assert look(files, unreviewed=True).lesson.mask == reviewed


def test_unreviewed_masks_on_request(tmp_path, make_patient_folder):
    """The newest saved mask, else the reference, and nobody is named as their reader."""
    files = recognize(make_patient_folder(tmp_path / "data"))
    assert look(files, unreviewed=True).lesson.mask == files.reference
    os.utime(save_mask(files, "old"), (1, 1))
    newest = save_mask(files, "new")
    found = look(files, unreviewed=True)
    assert (found.lesson.mask, found.reader, found.newest) == (newest, "", newest)
    bare = recognize(make_patient_folder(tmp_path / "bare", reference=False))
    assert "neither" in look(bare, unreviewed=True).why_not


def test_a_missing_modality_is_a_reason(files):
    """What the model needs and the case lacks is named."""
    mark(files, State.DONE, "Ada", mask=save_mask(files))
    next(iter(files.folder.glob("*_t2.nii.gz"))).unlink()
    assert "no t2" in look(files).why_not
    assert look(files, modalities=("t1",)).lesson is not None


def test_a_mask_of_another_grid_is_refused(files, tmp_path, make_patient_folder):
    """Reading says which file lies where."""
    other = recognize(make_patient_folder(tmp_path / "other", shape=(10, 12, 8)))
    with pytest.raises(CaseError, match="voxels"):
        Lesson(files, other.reference).read()


def test_the_bundled_patients_are_lessons():
    """Both samples have a reference and every modality."""
    assert len(sample_lessons(ALL)) == 2
    assert sample_lessons(("none such",)) == []
