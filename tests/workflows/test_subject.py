"""A patient and its masks, as figures and reports read them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from napari_brats.workflows.subject import Subject, load_subject

MakePatient = Callable[..., Path]
CASE = "BraTS2021_00005"


def readings(folder: Path, root: Path, name: str = "a.nii.gz") -> list[Path]:
    """Return the masks of three readers, of one name in folders of their own."""
    found = []
    for reader in ("anna", "ben", "cleo"):
        path = root / reader / name
        path.parent.mkdir(parents=True)
        found.append(Path(shutil.copy(folder / f"{CASE}_seg.nii.gz", path)))
    return found


def test_masks_of_one_name_are_all_there(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Each is told by its folder; none takes another's place."""
    folder = make_patient_folder(tmp_path / "in")
    subject = load_subject(folder, readings(folder, tmp_path))
    assert list(subject.masks) == ["anna/a", "ben/a", "cleo/a"]
    assert list(subject.files) == list(subject.masks)


def test_masks_of_one_maker_are_told_by_their_files(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A mask and the one that was saved beside it."""
    folder = make_patient_folder(tmp_path)
    names = [f"{CASE}_net_mask.nii.gz", f"{CASE}_net_mask-2.nii.gz", f"{CASE}_other_mask.nii.gz"]
    paths = [Path(shutil.copy(folder / f"{CASE}_seg.nii.gz", folder / name)) for name in names]
    expected = [f"{CASE}_net_mask", f"{CASE}_net_mask-2", "other"]
    assert list(load_subject(folder, paths).masks) == expected


def test_the_dice_says_whose_it_is(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Of several masks only the first is scored in a figure's heading."""
    folder = make_patient_folder(tmp_path / "in")
    subject = load_subject(folder, readings(folder, tmp_path))
    assert subject.details().startswith("Dice of anna/a   WT 1.000")
    alone = Subject(subject.case, {"a": subject.mask})
    assert alone.details().startswith("Dice   WT 1.000")


def test_another_reference_takes_the_place_of_a_bad_one(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """The patient's own is not read where another is given."""
    folder = make_patient_folder(tmp_path)
    own, other = folder / f"{CASE}_seg.nii.gz", tmp_path / "other.nii.gz"
    shutil.copy(own, other)
    image = nib.load(own)
    nib.save(nib.Nifti1Image(np.full(image.shape, 9, np.uint8), image.affine), own)
    subject = load_subject(folder, [other], reference=other)
    assert subject.case.reference_path == other
    assert np.array_equal(subject.case.reference, subject.mask)
