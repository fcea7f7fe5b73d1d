"""Saving a mask: the patient's grid, the edition's codes, and no source file touched."""

import errno
import os
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import (
    Segmentation,
    load_case,
    load_mask,
    save_segmentation,
    segmentation_of,
)
from napari_brats.errors import LabelError, OutputError, TakenError
from napari_brats.naming import NAMINGS
from napari_brats.regions import Tissue
from napari_brats.volumes import atomic as atomic_module


@pytest.fixture
def case(tmp_path, make_patient_folder):
    return load_case(make_patient_folder(tmp_path / "patients"))


@pytest.fixture
def mask(case):
    return segmentation_of(case, case.reference)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("naming", [*NAMINGS, "msd-task01", "nnunet"])
def test_reference_saved_again_is_the_reference(naming, tmp_path, make_patient_folder):
    """Load and save is the identity on codes, affine and shape, for every edition."""
    case = load_case(make_patient_folder(tmp_path, naming))
    path = save_segmentation(segmentation_of(case, case.reference), tmp_path / "m.nii.gz")
    saved = nib.load(path)
    assert saved.get_data_dtype() == np.uint8
    np.testing.assert_allclose(saved.affine, case.affine, atol=1e-6)
    if case.reference_path.suffix != ".mha":
        expected = np.asanyarray(nib.load(case.reference_path).dataobj)
        np.testing.assert_array_equal(np.asanyarray(saved.dataobj), expected)
    codes = set(np.unique(np.asanyarray(saved.dataobj)))
    assert codes == {0, *case.convention.codes}


@pytest.mark.parametrize("extension", [".nii", ".nii.gz", ".mha"])
@pytest.mark.parametrize("naming", ["brats2012-2015", "brats2021"])
def test_saved_mask_loads_as_the_reference(naming, extension, tmp_path, make_patient_folder):
    """What was saved, put in the reference's place, is the same case (any format)."""
    folder = make_patient_folder(tmp_path, naming)
    case = load_case(folder)
    place = case.reference_path.with_name(
        case.reference_path.name.removesuffix(".gz").removesuffix(".nii").removesuffix(".mha")
        + extension
    )
    temporary = save_segmentation(segmentation_of(case, case.reference), tmp_path / f"m{extension}")
    case.reference_path.unlink()
    temporary.rename(place)
    again = load_case(folder)
    assert again.reference_path == place
    np.testing.assert_array_equal(again.reference, case.reference)


def test_every_source_file_is_protected(case, mask):
    """Neither an image nor the reference is ever overwritten."""
    before = contents(case.reference_path.parent)
    for path in before:
        with pytest.raises(OutputError, match="is a source file, which is never overwritten"):
            save_segmentation(mask, path)
    assert contents(case.reference_path.parent) == before


def test_links_do_not_get_round_the_protection(case, mask, tmp_path):
    """A symbolic link, a hard link, a linked folder and ``..`` are the same file."""
    before = contents(case.reference_path.parent)
    reference = case.reference_path
    (tmp_path / "soft.nii.gz").symlink_to(reference)
    os.link(reference, tmp_path / "hard.nii.gz")
    (tmp_path / "linked").symlink_to(reference.parent, target_is_directory=True)
    for path in (
        tmp_path / "soft.nii.gz",
        tmp_path / "hard.nii.gz",
        tmp_path / "linked" / reference.name,
        reference.parent / ".." / reference.parent.name / reference.name,
    ):
        with pytest.raises(OutputError, match="never overwritten"):
            save_segmentation(mask, path)
    assert contents(case.reference_path.parent) == before


@pytest.mark.parametrize("role", ["t1", "seg"])
def test_files_of_other_patients_are_protected_too(role, mask, tmp_path, make_patient_folder):
    """A slip in the file dialog does not cost another patient's image or reference."""
    other = make_patient_folder(tmp_path / "others", case_id="BraTS2021_00009")
    before = contents(other)
    with pytest.raises(OutputError, match="never overwritten"):
        save_segmentation(mask, other / f"BraTS2021_00009_{role}.nii.gz")
    assert contents(other) == before


def test_source_alone_protects_a_mask_made_by_hand(case):
    """A `Segmentation` without a list still spares the images it comes from."""
    mask = Segmentation(
        case.case_id, case.reference, case.affine, case.convention, case.image_paths["t1"]
    )
    for path in case.image_paths.values():
        with pytest.raises(OutputError, match="never overwritten"):
            save_segmentation(mask, path)


def test_own_results_can_be_saved_again(case, mask):
    """A mask beside the images, even named like a reference, is replaced by its next state."""
    case.reference_path.unlink()
    fresh = load_case(case.image_paths["t1"])
    path = case.reference_path
    save_segmentation(segmentation_of(fresh, mask.tissues), path)
    save_segmentation(segmentation_of(fresh, np.zeros_like(mask.tissues)), path)
    assert not np.asanyarray(nib.load(path).dataobj).any()


def test_full_disk_keeps_the_old_mask(mask, tmp_path, monkeypatch):
    """The disk fills up: one clear error, the old mask is whole, nothing else lies there."""
    folder = tmp_path / "out"
    path = save_segmentation(mask, folder / "m.nii.gz")
    before = contents(folder)

    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_module.os, "fsync", fail)
    with pytest.raises(OutputError, match="the disk is full; free some space"):
        save_segmentation(replace(mask, tissues=np.zeros_like(mask.tissues)), path)
    assert contents(folder) == before
    monkeypatch.undo()
    assert save_segmentation(mask, path) == path


def test_tissue_without_a_code_is_refused_before_writing(mask, tmp_path):
    """Nothing is silently lost: a cavity has no place in a mask of 2021."""
    tissues = mask.tissues.copy()
    tissues[0, 0, 0] = Tissue.CAVITY
    with pytest.raises(LabelError, match="no code for 'resection cavity'"):
        save_segmentation(replace(mask, tissues=tissues), tmp_path / "m.nii.gz")
    assert not (tmp_path / "m.nii.gz").exists()


def test_moved_source_does_not_cost_the_mask(case, mask, tmp_path):
    """With the patient's disk gone, the affine alone places the mask."""
    for path in mask.protected:
        path.unlink()
    saved = nib.load(save_segmentation(mask, tmp_path / "m.nii.gz"))
    np.testing.assert_array_equal(saved.affine, case.affine)


def test_mask_of_another_grid(case):
    """A mask that does not fit the case is a mistake of the caller."""
    with pytest.raises(ValueError, match="not on the grid"):
        segmentation_of(case, np.zeros((2, 2, 2), np.uint8))


@pytest.mark.real_data
def test_real_patient_round_trip(real_data_dir, tmp_path):
    """The reference of a real patient, saved again, is the same mask in the same place."""
    case = load_case(real_data_dir / "validation" / "Brats18_2013_11_1")
    saved = nib.load(
        save_segmentation(segmentation_of(case, case.reference), tmp_path / "m.nii.gz")
    )
    reference, image = nib.load(case.reference_path), nib.load(case.image_paths["t1"])
    np.testing.assert_array_equal(np.asanyarray(saved.dataobj), np.asanyarray(reference.dataobj))
    np.testing.assert_array_equal(saved.affine, image.affine)
    assert saved.header["qform_code"] == image.header["qform_code"] == 2


def test_images_behind_links_are_protected(mask, tmp_path, make_patient_folder):
    """Where a patient's file is a link into a store of nameless files, its own name counts."""
    other = make_patient_folder(tmp_path / "others", case_id="BraTS2021_00009")
    image = other / "BraTS2021_00009_t1.nii.gz"
    store = image.rename(tmp_path / "9f3a.nii.gz")
    image.symlink_to(store)
    before = store.read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        save_segmentation(mask, image)
    assert store.read_bytes() == before


def test_a_new_file_never_replaces_another(mask, tmp_path):
    """Whoever comes second is told, and what was there stays; nothing else is left behind."""
    path = tmp_path / "new" / "m.nii.gz"
    save_segmentation(mask, path, replace=False)
    before = contents(path.parent)
    with pytest.raises(TakenError, match="exists already"):
        save_segmentation(replace(mask, tissues=np.zeros_like(mask.tissues)), path, replace=False)
    assert contents(path.parent) == before


def test_a_claimed_name_is_given_back(mask, tmp_path, monkeypatch):
    """If the file cannot be moved to its new name, no empty file stays there."""

    def busy(source, target):
        raise PermissionError(errno.EACCES, "busy")

    monkeypatch.setattr(atomic_module.os, "replace", busy)
    with pytest.raises(OutputError, match="busy"):
        save_segmentation(mask, tmp_path / "new" / "m.nii.gz", replace=False)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("extension", [".nii.gz", ".mha"])
def test_a_mask_remembers_its_codes(extension, tmp_path, make_patient_folder):
    """Saved with other codes than the names tell, it is read back with those it was saved with."""
    folder = make_patient_folder(tmp_path, "brats-ped", reference=False)
    case = load_case(folder, labels="brats2023-gli")
    tissues = np.zeros(case.shape, np.uint8)
    tissues[2:4], tissues[4:6], tissues[6:8] = Tissue.NECROSIS, Tissue.EDEMA, Tissue.ENHANCING
    path = save_segmentation(segmentation_of(case, tissues), tmp_path / f"m{extension}")
    found, _ = load_mask(path, load_case(folder).convention)
    np.testing.assert_array_equal(found, tissues)
