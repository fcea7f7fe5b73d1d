"""Synthetic patients on disk."""

from pathlib import Path

import numpy as np
import pytest

from napari_brats.case import MODALITIES, load_case
from napari_brats.errors import CaseError, OutputError
from napari_brats.regions import Tissue
from napari_brats.synthesis import files
from napari_brats.synthesis.files import naming_of, write_patient
from napari_brats.synthesis.patient import BRATS_AFFINE, BRATS_SHAPE, SyntheticPatient


def cube() -> SyntheticPatient:
    """Return a patient of 12 mm with a very dark voxel and all tissues."""
    image = np.full((12, 12, 12), 300, np.float32)
    image[0] = 0
    image[1, 0, 0] = 0.2
    tissues = np.zeros(image.shape, np.uint8)
    tissues[4], tissues[5], tissues[6] = Tissue.NECROSIS, Tissue.EDEMA, Tissue.ENHANCING
    images = {name: image + index * (image > 0) for index, name in enumerate(MODALITIES)}
    return SyntheticPatient(images, tissues, np.diag([-1.0, -1.0, 1.0, 1.0]), "ring")


@pytest.mark.parametrize(
    ("case_id", "file", "codes"),
    [
        ("BraTS2021_90001", "BraTS2021_90001_t1ce.nii.gz", {0, 1, 2, 4}),
        ("BraTS-GLI-90002-000", "BraTS-GLI-90002-000-t1c.nii.gz", {0, 1, 2, 3}),
    ],
)
def test_patients_are_written_as_their_edition_does(
    tmp_path: Path, case_id: str, file: str, codes: set[int]
) -> None:
    """Naming, label codes, geometry; and `load_case` reads the same tissues back."""
    import nibabel as nib

    folder = write_patient(cube(), tmp_path, case_id)
    assert len(list(folder.iterdir())) == 5
    image = nib.load(folder / file)
    assert image.get_data_dtype() == np.int16
    np.testing.assert_array_equal(image.affine, BRATS_AFFINE)
    mask = next(path for path in folder.iterdir() if "seg" in path.name)
    assert set(np.unique(nib.load(mask).dataobj).tolist()) == codes
    case = load_case(folder)
    assert case.case_id == case_id
    assert case.shape == BRATS_SHAPE
    assert case.reference is not None
    assert np.bincount(case.reference.ravel())[1:].tolist() == [144, 144, 144]


def test_dark_brain_stays_brain(tmp_path: Path) -> None:
    """A voxel of 0.2 is stored as 1, not as background."""
    case = load_case(write_patient(cube(), tmp_path, "BraTS2021_00001"))
    assert (case.images["t1"] > 0).sum() == 11 * 144
    assert case.images["t1"][case.images["t1"] > 0].min() == 1


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder with files in it is refused."""
    write_patient(cube(), tmp_path, "BraTS2021_00001")
    with pytest.raises(OutputError, match="exists and is not empty"):
        write_patient(cube(), tmp_path, "BraTS2021_00001")


def test_a_full_disk_leaves_no_half_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder nor a rest of it: the same command works once there is room."""
    write, written = files.write_image, []

    def full(path: Path, *rest: object) -> None:
        if len(written) == 2:
            raise OutputError("the disk is full")
        written.append(write(path, *rest))

    monkeypatch.setattr(files, "write_image", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_patient(cube(), tmp_path / "made", "BraTS2021_00001")
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("case_id", ["", "../BraTS2021_00001", "a b", "x/y"])
def test_bad_ids_are_refused(case_id: str) -> None:
    """An id is never a path."""
    with pytest.raises(CaseError, match="no patient's id"):
        naming_of(case_id)
