"""nnU-Net's raw datasets: one file a channel, codes and order as ``dataset.json`` says."""

import json

import pytest

from napari_brats.naming import find_patients, recognize
from napari_brats.plugin.masks import saved_masks

REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3]}


@pytest.fixture
def dataset(tmp_path):
    for case in ("BRATS_001", "BRATS_001_b", "BRATS_002"):
        for number in range(4):
            touch(tmp_path / "imagesTr" / f"{case}_000{number}.nii.gz")
        touch(tmp_path / "labelsTr" / f"{case}.nii.gz")
    describe(tmp_path, channel_names={"0": "T1", "1": "T1ce", "2": "T2", "3": "Flair"})
    return tmp_path


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def describe(root, labels=REGIONS, **channels):
    (root / "dataset.json").write_text(json.dumps({**channels, "labels": labels}))


def test_four_files_are_one_patient(dataset):
    """Every case is found once, with its four images and its labels."""
    patients = find_patients(dataset)
    assert [patient.case_id for patient in patients] == ["BRATS_001", "BRATS_001_b", "BRATS_002"]
    first = patients[0]
    assert {name: path.name[-11:-7] for name, path in first.images.items()} == {
        "t1": "0000",
        "t1ce": "0001",
        "t2": "0002",
        "flair": "0003",
    }
    assert set(first.channels.values()) == {None}
    assert first.reference == dataset / "labelsTr" / "BRATS_001.nii.gz"
    assert first.notes == ()


def test_test_cases_and_their_labels(dataset):
    """`imagesTs` is read alike; its labels, where somebody keeps them, lie in `labelsTs`."""
    touch(dataset / "imagesTs" / "BRATS_009_0000.nii.gz")
    assert recognize(dataset / "imagesTs").reference is None
    touch(dataset / "labelsTs" / "BRATS_009.nii.gz")
    found = recognize(dataset / "labelsTs" / "BRATS_009.nii.gz")
    assert found.reference == dataset / "labelsTs" / "BRATS_009.nii.gz"
    assert found.notes == tuple(
        f"no {name}: looked for 'BRATS_009_000{number}.nii.gz'"
        for number, name in enumerate(("t1ce", "t2", "flair"), start=1)
    )


def test_the_first_version_says_modality(dataset):
    """nnU-Net 1 used the Decathlon's key; the order of the channels is read, never assumed."""
    describe(dataset, modality={"0": "FLAIR", "1": "T1", "2": "T1ce", "3": "T2"})
    patient = recognize(dataset / "imagesTr" / "BRATS_002_0002.nii.gz")
    assert patient.images["t1ce"].name == "BRATS_002_0002.nii.gz"
    assert patient.images["flair"].name == "BRATS_002_0000.nii.gz"


@pytest.mark.parametrize(
    ("labels", "convention"),
    [
        (REGIONS, "msd"),
        ({"background": 0, "edema": 1, "NCR": 2, "enhancing": 3}, "msd"),
        ({"0": "background", "1": "edema", "2": "non-enhancing", "3": "enhancing"}, "msd"),
        ({"background": 0, "NCR": 1, "ED (oedema)": 2, "enhancing tumor": 3}, "brats2023-gli"),
        ({"whole": [1, 2, 3], "core": [1, 3], "enhancing": 3}, "brats2023-gli"),
        ({"necrosis": 1, "edema": 2, "enhancing": 4}, "brats2017-2021"),
        ({"necrosis": 1, "SNFH": 2, "enhancing": 3, "cavity": 4}, "brats2024-gli"),
    ],
)
def test_codes_are_those_of_the_description(dataset, labels, convention):
    """Regions or tissues, by name or by number: the convention with the same codes."""
    describe(dataset, labels, channel_names={"0": "T1", "1": "T1ce", "2": "T2", "3": "Flair"})
    patient = find_patients(dataset)[0]
    assert (patient.convention_name, patient.notes) == (convention, ())


@pytest.mark.parametrize("labels", [None, [], {"tumor": 1}, {"whole": [1, 2], "core": [2]}])
def test_other_labels_are_told(dataset, labels):
    """What cannot be told is taken as nnU-Net's conversion writes it, and said."""
    describe(dataset, labels, channel_names={"0": "T1", "1": "T1ce", "2": "T2", "3": "Flair"})
    patient = find_patients(dataset)[0]
    assert patient.convention_name == "msd"
    assert "labels of dataset.json" in patient.notes[0]


def test_other_organs_are_not_taken(dataset):
    """A dataset without a brain's modality holds no patient of ours."""
    describe(dataset, channel_names={"0": "CT"})
    assert find_patients(dataset) == []


def test_a_changed_description_is_read_again(dataset):
    """The description is kept for the thousands of files beside it, not for ever."""
    assert find_patients(dataset)[0].convention_name == "msd"
    describe(
        dataset,
        {"necrosis": 1, "edema": 2, "enhancing": 4},
        channel_names={"0": "T1", "1": "T1ce", "2": "T2", "3": "Flair"},
    )
    assert find_patients(dataset)[0].convention_name == "brats2017-2021"


def test_masks_of_a_longer_id_are_not_taken(dataset):
    """`BRATS_001_b` is another patient; `BRATS_001_0000` is none."""
    for name in ("BRATS_001_ada_mask.nii.gz", "BRATS_001_b_ada_mask.nii.gz"):
        touch(dataset / name)
    image = dataset / "imagesTr" / "BRATS_001_0000.nii.gz"
    assert [path.name for path in saved_masks(image, "BRATS_001")] == ["BRATS_001_ada_mask.nii.gz"]
