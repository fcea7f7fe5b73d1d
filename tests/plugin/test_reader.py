"""Opening patients, their files, and masks beside them."""

import gzip
import shutil

import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.errors import CaseError
from napari_brats.plugin import host
from napari_brats.plugin.masks import is_saved_mask, mask_path, mask_title, saved_masks
from napari_brats.plugin.reader import get_reader, read_patient
from napari_brats.plugin.tags import MASK, tag_of


@pytest.fixture
def folder(tmp_path, make_patient_folder):
    return make_patient_folder(tmp_path / "data")


@pytest.fixture
def neurological():
    class Neurological(host.NoHost):
        def view_convention(self):
            return "neurological"

    before = host.current_host()
    host.set_host(Neurological())
    yield
    host.set_host(before)


def test_a_folder_and_each_of_its_files(folder):
    """A folder, any of its files, and all of them together open the same five layers."""
    files = sorted(str(file) for file in folder.iterdir())
    for path in (str(folder), *files, files):
        reader = get_reader(path)
        assert reader is not None
        assert len(reader(path)) == 5


@pytest.mark.parametrize(
    "naming", ["brats2017-2020", "brats-gli", "brats2012-2015", "msd-task01", "nnunet"]
)
def test_other_editions(tmp_path, make_patient_folder, naming):
    """Editions with other names, nested files or one 4D file open alike."""
    path = str(make_patient_folder(tmp_path, naming))
    reader = get_reader(path)
    assert reader is not None
    assert len(reader(path)) == 5


def test_what_is_not_ours(tmp_path, folder):
    """Other volumes, other folders, empty folders, stores and missing paths get no reader."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    stranger = tmp_path / "other" / "brain.nii.gz"
    shutil.copy(next(folder.iterdir()), stranger)
    store = tmp_path / "image.zarr"
    store.mkdir()
    for path in (tmp_path / "empty", tmp_path / "other", stranger, store, tmp_path / "missing"):
        assert get_reader(str(path)) is None
    assert get_reader([]) is None


def test_a_dataset_asks_to_choose(tmp_path, make_patient_folder):
    """A folder of several patients is refused in words that say how many and what to do."""
    for number in (1, 2):
        make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{number}")
    reader = get_reader(str(tmp_path))
    assert reader is not None
    with pytest.raises(CaseError, match="2 patients"):
        reader(str(tmp_path))


def test_files_of_two_patients_are_not_stacked(tmp_path, make_patient_folder):
    """Files of two patients in one go are refused."""
    files = [
        str(next(make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{number}").iterdir()))
        for number in (1, 2)
    ]
    with pytest.raises(CaseError, match="files of 2 patients"):
        read_patient(files)


@pytest.mark.usefixtures("neurological")
def test_the_host_chooses_the_view(folder):
    """The host's setting turns left and right."""
    _, keywords, _ = read_patient(str(folder))[0]
    assert keywords["axis_labels"] == ("S-I", "A-P", "L-R")


def test_a_saved_mask_opens_alone(folder):
    """A mask of ours opens as one labels layer on its patient's grid, voxel for voxel."""
    case = load_case(folder)
    path = mask_path(case.image_paths["flair"], case.case_id, "net, lite")
    assert path.name == f"{case.case_id}_net-lite_mask.nii.gz"
    save_segmentation(segmentation_of(case, case.reference), path)
    reader = get_reader(str(path))
    assert reader is not None
    ((data, keywords, kind),) = reader(str(path))
    tag = tag_of(keywords["metadata"])
    assert (kind, tag.role, tag.path, tag.title) == ("labels", MASK, path, "net-lite")
    np.testing.assert_array_equal(tag.display.to_file(data), case.reference)


def test_a_mask_without_its_patient(tmp_path, folder):
    """A mask that lies alone is refused with what to do."""
    lonely = tmp_path / "BraTS2021_00009_net_mask.nii.gz"
    shutil.copy(next(folder.iterdir()), lonely)
    reader = get_reader(str(lonely))
    assert reader is not None
    with pytest.raises(CaseError, match="put the mask into its patient's folder"):
        reader(str(lonely))


def test_a_mask_on_another_grid(tmp_path, folder, make_patient_folder):
    """A mask of another shape is refused; the message names both shapes."""
    other = load_case(make_patient_folder(tmp_path / "other", shape=(20, 22, 16)))
    path = folder / f"{other.case_id}_net_mask.nii.gz"
    save_segmentation(segmentation_of(other, other.reference), path)
    reader = get_reader(str(path))
    assert reader is not None
    with pytest.raises(CaseError, match="16"):
        reader(str(path))


def test_masks_are_numbered_not_replaced(tmp_path):
    """A second mask of the same maker gets a number; both are listed, newest first."""
    source = tmp_path / "BraTS2021_00001_flair.nii.gz"
    first = mask_path(source, "BraTS2021_00001", "net")
    first.write_bytes(b"")
    second = mask_path(source, "BraTS2021_00001", "net")
    assert second.name == "BraTS2021_00001_net_mask-2.nii.gz"
    second.write_bytes(b"")
    assert set(saved_masks(source, "BraTS2021_00001")) == {first, second}
    assert saved_masks(source, "BraTS2021_00002") == []
    assert [mask_title(path, "BraTS2021_00001") for path in (first, second)] == ["net", "net"]
    assert not is_saved_mask(source)


def test_masks_of_nested_files_lie_in_the_patients_folder(tmp_path, make_patient_folder):
    """Where each image has a folder of its own, the mask is not put into one of those."""
    folder = make_patient_folder(tmp_path, "brats2012-2015")
    case = load_case(folder)
    path = mask_path(case.image_paths["t1"], case.case_id, "net")
    assert path == folder / f"{case.case_id}_net_mask.mha"
    save_segmentation(segmentation_of(case, case.reference), path)
    assert saved_masks(case.image_paths["flair"], case.case_id) == [path]
    ((data, keywords, _),) = get_reader(str(path))(str(path))
    tag = tag_of(keywords["metadata"])
    np.testing.assert_array_equal(tag.display.to_file(data), case.reference)


def test_the_file_that_was_chosen_is_the_one_opened(folder):
    """Of a compressed and a plain file of one modality, the one that the person points at."""
    plain = folder / "BraTS2021_00005_t2.nii"
    plain.write_bytes(gzip.decompress((folder / f"{plain.name}.gz").read_bytes()))
    paths = [keywords["metadata"]["path"] for _, keywords, _ in read_patient(str(plain))]
    assert str(plain) in paths


def test_masks_of_decathlon_patients_lie_beside_the_images(tmp_path):
    """In imagesTr every file is a patient, so masks go one folder up."""
    source = tmp_path / "imagesTr" / "BRATS_001.nii.gz"
    assert mask_path(source, "BRATS_001", "net").parent == tmp_path


def test_masks_of_names_that_look_like_patterns(tmp_path):
    """A patient's id is taken by its letters."""
    mask = tmp_path / "[P]*1_net_mask.nii.gz"
    mask.touch()
    assert saved_masks(tmp_path / "image.nii.gz", "[P]*1") == [mask]


def test_masks_of_follow_ups_in_one_folder(tmp_path, make_patient_folder):
    """Each patient has their own, also where one id begins with another; any maker may have one."""
    ids = ("BraTS20_Training_001", "BraTS20_Training_001_2")
    for case_id in ids:
        folder = make_patient_folder(tmp_path / case_id, "brats2017-2020", case_id=case_id)
        for file in folder.iterdir():
            file.rename(tmp_path / file.name)
    image = tmp_path / f"{ids[0]}_flair.nii.gz"
    assert image.exists()
    masks = {
        case_id: {tmp_path / f"{case_id}_{maker}_mask.nii.gz" for maker in ("net", "my_net")}
        for case_id in ids
    }
    for path in set.union(*masks.values()):
        path.touch()
    for case_id in ids:
        assert set(saved_masks(image, case_id)) == masks[case_id]


def test_masks_of_a_longer_id_are_another_patients(tmp_path):
    """In a folder of many patients, an id that begins another's does not get the other's mask."""
    for name in ("p_t1", "p_2_t1", "p_net_mask", "p_dr_net_mask", "p_2_net_mask", "p_2_t1_mask"):
        (tmp_path / f"{name}.nii.gz").touch()
    found = {path.name for path in saved_masks(tmp_path / "p_t1.nii.gz", "p")}
    assert found == {"p_net_mask.nii.gz", "p_dr_net_mask.nii.gz"}
    images = tmp_path / "imagesTr"
    images.mkdir()
    for name in ("imagesTr/q", "imagesTr/q_2", "q_net_mask", "q_2_net_mask"):
        (tmp_path / f"{name}.nii.gz").touch()
    (mask,) = saved_masks(images / "q.nii.gz", "q")
    assert mask.name == "q_net_mask.nii.gz"


def test_masks_of_odd_names_and_links(tmp_path):
    """Brackets in an id are no pattern, and a link that leads nowhere is no mask."""
    source = tmp_path / "p[1]_t1.nii.gz"
    mask = mask_path(source, "p[1]", "net")
    mask.touch()
    mask.with_name("p[1]_lost_mask.nii.gz").symlink_to("nowhere")
    assert saved_masks(source, "p[1]") == [mask]
