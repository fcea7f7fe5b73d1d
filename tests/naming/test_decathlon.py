"""Task01 of the Decathlon: 4D files whose channels ``dataset.json`` names."""

import json

import pytest

from napari_brats.errors import CaseError
from napari_brats.naming import find_patients, recognize
from napari_brats.naming.decathlon import decathlon_patient


@pytest.fixture
def dataset(tmp_path):
    for name in ("imagesTr/BRATS_001", "imagesTr/BRATS_002", "imagesTs/BRATS_485"):
        path = tmp_path / f"{name}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "imagesTr" / "._BRATS_001.nii.gz").write_bytes(b"x")
    (tmp_path / "labelsTr").mkdir()
    (tmp_path / "labelsTr" / "BRATS_001.nii.gz").write_bytes(b"x")
    describe(tmp_path, {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"})
    return tmp_path


def describe(root, modality):
    (root / "dataset.json").write_text(json.dumps({"modality": modality}))


def test_each_image_file_is_a_patient(dataset):
    """Training and test images are found from the root; masks lie in labelsTr."""
    patients = find_patients(dataset)
    assert [patient.case_id for patient in patients] == ["BRATS_001", "BRATS_002", "BRATS_485"]
    assert [patient.reference is not None for patient in patients] == [True, False, False]


def test_channels_follow_the_description(dataset):
    """The order of the channels is read, never assumed."""
    describe(dataset, {"0": "T2w", "1": "FLAIR", "2": "T1w", "3": "t1gd"})
    patient = recognize(dataset / "imagesTr" / "BRATS_001.nii.gz")
    assert patient.channels == {"t1": 2, "t1ce": 3, "t2": 0, "flair": 1}
    assert list(patient.images) == ["t1", "t1ce", "t2", "flair"]


def test_mask_stands_for_its_image(dataset):
    """A file of labelsTr finds the image of the same name."""
    image = dataset / "imagesTr" / "BRATS_001.nii.gz"
    mask = dataset / "labelsTr" / "BRATS_001.nii.gz"
    assert recognize(mask) == recognize(image)
    assert recognize(mask).reference == mask


def test_without_description_the_published_order_is_noted(dataset):
    """A single file taken out of the dataset still opens, and the assumption is said."""
    (dataset / "dataset.json").unlink()
    patient = recognize(dataset / "imagesTr" / "BRATS_001.nii.gz")
    assert patient.channels == {"t1": 1, "t1ce": 2, "t2": 3, "flair": 0}
    assert "no dataset.json" in patient.notes[0]


def test_other_tasks_are_not_taken(dataset):
    """A dataset of another organ names no BraTS modality and holds no patient."""
    describe(dataset, {"0": "CT"})
    assert find_patients(dataset) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"modality": 3}', '{"modality": {"x": "T1w"}}', "{}"])
def test_broken_description_is_named(dataset, text):
    """A dataset.json that cannot be used is an error, not a guess."""
    (dataset / "dataset.json").write_text(text)
    with pytest.raises(CaseError, match=r"dataset.json' cannot be read as a description"):
        find_patients(dataset)


def test_files_elsewhere_are_not_of_the_decathlon(tmp_path):
    """Only imagesTr, imagesTs and labelsTr hold such files."""
    (tmp_path / "BRATS_001.nii.gz").write_bytes(b"x")
    assert decathlon_patient(tmp_path / "BRATS_001.nii.gz") is None
