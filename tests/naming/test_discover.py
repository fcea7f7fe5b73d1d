"""One patient from a folder or file, all of a dataset, and the reasons for none."""

import os
from pathlib import Path

import pytest

from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, find_patients, recognize
from napari_brats.naming import discover as discover_module

EDITIONS = [*NAMINGS, "msd-task01", "nnunet"]


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def touch_patient(root, case_id, suffixes=("t1", "t1ce", "t2", "flair", "seg")):
    touch(root / case_id, *(f"{case_id}_{suffix}.nii.gz" for suffix in suffixes))
    return root / case_id


@pytest.mark.parametrize("naming", EDITIONS)
def test_every_edition_is_recognized(naming, tmp_path, make_patient_folder):
    """A folder of an edition gives all its modalities, its reference and its row."""
    patient = recognize(make_patient_folder(tmp_path, naming))
    modalities = NAMINGS[naming].modalities if naming in NAMINGS else ("t1", "t1ce", "t2", "flair")
    assert patient.naming == naming
    assert tuple(patient.images) == modalities
    assert patient.reference is not None
    assert patient.notes == ()


@pytest.mark.parametrize("naming", EDITIONS)
def test_any_file_finds_its_siblings(naming, tmp_path, make_patient_folder):
    """The folder and every single file of a patient, the mask too, give the same answer."""
    whole = recognize(make_patient_folder(tmp_path, naming))
    for path in {*whole.images.values(), whole.reference}:
        assert recognize(path) == whole


@pytest.mark.parametrize("extension", [".nii", ".nii.gz", ".mha"])
def test_extensions(extension, tmp_path, make_patient_folder):
    """A patient may be compressed or not, NIfTI or MetaImage."""
    patient = recognize(make_patient_folder(tmp_path, "brats2021", extension=extension))
    assert all(path.name.endswith(extension) for path in patient.images.values())


def test_flat_folder_of_the_virtual_skeleton_database(tmp_path):
    """The .mha files may lie side by side instead of each in a folder of its own."""
    touch(tmp_path / "pat1", "VSD.Brain.XX.O.MR_T1.7.mha", "VSD.Brain_3more.XX.O.OT.9.mha")
    patient = recognize(tmp_path / "pat1")
    assert (patient.case_id, list(patient.images)) == ("pat1", ["t1"])
    assert patient.reference == tmp_path / "pat1" / "VSD.Brain_3more.XX.O.OT.9.mha"


def test_misnamed_mask_of_patient_355(tmp_path):
    """The published mistake is the reference of its patient."""
    folder = touch_patient(tmp_path, "BraTS20_Training_355", ("t1", "t1ce", "t2", "flair"))
    touch(folder, "W39_1998.09.19_Segm.nii")
    patient = recognize(folder)
    assert patient.reference == folder / "W39_1998.09.19_Segm.nii"
    assert recognize(patient.reference) == patient


def test_own_data_with_mixed_suffixes_is_one_patient(tmp_path):
    """``_t1c`` beside ``_flair`` is read as T1ce of the same patient."""
    touch(tmp_path / "p", *(f"anna_{s}.nii.gz" for s in ("t1", "t1c", "t2", "flair", "seg")))
    patient = recognize(tmp_path / "p")
    assert patient.case_id == "anna"
    assert tuple(patient.images) == ("t1", "t1ce", "t2", "flair")


def test_files_without_an_id_take_the_folders_name(tmp_path):
    """``t1.nii.gz`` and its kin belong to the folder they lie in."""
    touch(tmp_path / "case7", "t1.nii.gz", "t1ce.nii.gz", "flair.nii.gz", "seg.nii.gz")
    patient = recognize(tmp_path / "case7")
    assert patient.case_id == "case7"
    assert patient.reference == tmp_path / "case7" / "seg.nii.gz"


def test_missing_modality_is_noted_by_the_name_looked_for(tmp_path):
    """What is missing is said together with the file name that would cure it."""
    patient = recognize(touch_patient(tmp_path, "BraTS2021_00005", ("t1", "t1ce", "flair")))
    assert patient.notes == ("no t2: looked for 'BraTS2021_00005_t2.nii.gz'",)
    assert patient.reference is None


def test_of_two_files_for_one_modality_the_chosen_one_is_read(tmp_path):
    """The compressed file wins, unless the person points at the other; the rest is noted."""
    folder = touch_patient(tmp_path, "BraTS2021_00005")
    touch(folder, "BraTS2021_00005_t1.nii")
    assert recognize(folder).images["t1"].name == "BraTS2021_00005_t1.nii.gz"
    patient = recognize(folder / "BraTS2021_00005_t1.nii")
    assert patient.images["t1"].name == "BraTS2021_00005_t1.nii"
    assert patient.notes == (
        "'BraTS2021_00005_t1.nii.gz' is ignored: 'BraTS2021_00005_t1.nii' is read",
    )


def test_hidden_files_are_not_volumes(tmp_path):
    """The ``._`` files that archives from macOS carry are passed over."""
    folder = touch_patient(tmp_path, "BraTS2021_00005")
    touch(folder, "._BraTS2021_00005_t1.nii.gz", ".abc-BraTS2021_00005_t1.nii.gz")
    assert recognize(folder).notes == ()


def test_dataset_root_in_natural_order(tmp_path):
    """HGG and LGG parents and nested archives are searched; 2 comes before 10."""
    for place in ("LGG/Brats18_2013_10_1", "HGG/Brats18_2013_2_1", "HGG/Brats18_2013_10_1"):
        parent, case_id = place.split("/")
        touch_patient(tmp_path / "Training" / parent, case_id)
    touch(tmp_path, "survival_data.csv", ".git/x_t1.nii.gz", "site-packages/x_t1.nii.gz")
    found = [patient.folder.relative_to(tmp_path).as_posix() for patient in find_patients(tmp_path)]
    assert found == [
        "Training/HGG/Brats18_2013_2_1",
        "Training/HGG/Brats18_2013_10_1",
        "Training/LGG/Brats18_2013_10_1",
    ]


def test_folders_inside_a_patient_are_its_own(tmp_path):
    """Copies below a patient's folder (say ``preprocessed/``) are not further patients."""
    folder = touch_patient(tmp_path, "BraTS2021_00005")
    touch(folder / "preprocessed", "BraTS2021_00005_t1.nii.gz")
    assert len(find_patients(tmp_path)) == 1


def test_links_are_followed_once(tmp_path):
    """A linked patient is found; a link back to the root does not go round in circles."""
    data = touch_patient(tmp_path / "elsewhere", "BraTS2021_00005")
    root = tmp_path / "root"
    root.mkdir()
    (root / "BraTS2021_00005").symlink_to(data, target_is_directory=True)
    (root / "again").symlink_to(root, target_is_directory=True)
    (root / "broken").symlink_to(tmp_path / "nowhere")
    patients = find_patients(root)
    assert [patient.folder for patient in patients] == [root / "BraTS2021_00005"]


def test_flat_folder_with_many_patients(tmp_path):
    """Files of several patients in one folder are sorted by id; one file chooses one."""
    touch(tmp_path, "a_t1.nii.gz", "a_flair.nii.gz", "b_t1.nii.gz", "b_seg.nii.gz")
    assert [patient.case_id for patient in find_patients(tmp_path)] == ["a", "b"]
    assert recognize(tmp_path / "b_t1.nii.gz").case_id == "b"


def test_depth_is_limited(tmp_path):
    """Patients further down than `MAX_DEPTH` are not looked for."""
    deep = tmp_path.joinpath(*"abcdef")
    touch_patient(deep, "BraTS2021_00005")
    assert find_patients(tmp_path) == []
    assert len(find_patients(tmp_path / "a" / "b")) == 1


def test_huge_trees_are_refused(tmp_path, monkeypatch):
    """A root with more folders than any dataset ends with an error, not with a long wait."""
    monkeypatch.setattr(discover_module, "MAX_FOLDERS", 3)
    for name in "abcd":
        (tmp_path / name).mkdir()
    with pytest.raises(CaseError, match=r"more than 3 folders .* choose the dataset's own folder"):
        find_patients(tmp_path)


def test_root_where_one_patient_is_expected(tmp_path):
    """Several patients are listed, so that one can be chosen."""
    for number in range(4):
        touch_patient(tmp_path, f"BraTS2021_0000{number}")
    with pytest.raises(CaseError, match=r"holds 4 patients \('BraTS2021_00000', .*\.\.\.\)"):
        recognize(tmp_path)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "the folder is empty"),
        ([".DS_Store"], "the folder is empty"),
        (["notes.txt"], r"it holds no .nii.gz, .nii, .mha volume \('notes.txt'\)"),
        (["heart_1.nii.gz", "sub-01_T1w.nii"], "none of its 2 volumes is named like a modality"),
        (["BraTS2021_00005_seg.nii.gz"], "holds a reference mask .* but no image"),
    ],
)
def test_why_a_folder_is_no_patient(names, reason, tmp_path):
    """The message says what was found, what was looked for and what to do."""
    touch(tmp_path, *names)
    with pytest.raises(CaseError, match=reason) as caught:
        recognize(tmp_path)
    assert "expected names such as BraTS20_Training_001_flair.nii.gz" in str(caught.value)
    assert "choose a patient's folder" in str(caught.value)


def test_why_a_file_is_no_patient(tmp_path):
    """A file that is no modality is named."""
    touch(tmp_path, "heart.nii.gz")
    with pytest.raises(CaseError, match=r"heart.nii.gz' is no file of a BraTS patient"):
        recognize(tmp_path / "heart.nii.gz")
    assert find_patients(tmp_path / "heart.nii.gz") == []


def test_missing_path(tmp_path):
    """A path that is not there is said to be missing."""
    with pytest.raises(CaseError, match="does not exist; check the path"):
        recognize(tmp_path / "nowhere")


def test_relative_paths(tmp_path, monkeypatch):
    """A path relative to the working folder, even ``.``, is as good."""
    folder = touch_patient(tmp_path, "BraTS2021_00005")
    monkeypatch.chdir(folder)
    assert recognize(".").folder == folder
    assert recognize("BraTS2021_00005_t1.nii.gz").folder == folder


@pytest.mark.skipif(os.name != "posix", reason="folder permissions are POSIX")
def test_unreadable_folders_are_passed_over(tmp_path, monkeypatch):
    """A folder that may not be listed does not hide the patients beside it."""
    touch_patient(tmp_path, "BraTS2021_00005")
    locked = tmp_path / "locked"
    locked.mkdir()
    real_listdir = os.listdir

    def listdir(path):
        if os.fspath(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return real_listdir(path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert len(find_patients(tmp_path)) == 1
    with pytest.raises(CaseError, match=r"it cannot be listed \(Permission denied\)"):
        recognize(locked)


@pytest.mark.real_data
def test_real_patients(real_data_dir):
    """All real patients are found, whole, in a stable order."""
    patients = find_patients(real_data_dir)
    assert [patient.case_id for patient in patients] == sorted(p.case_id for p in patients)
    assert {patient.naming for patient in patients} == {"brats2017-2020", "brats2021"}
    assert all(len(patient.images) == 4 and patient.reference for patient in patients)


def test_a_stray_volume_hides_no_dataset(tmp_path, make_patient_folder):
    """A template beside the patients' folders: they are found all the same."""
    folder = make_patient_folder(tmp_path)
    (tmp_path / "template_T1.nii.gz").write_bytes(next(folder.iterdir()).read_bytes())
    assert "BraTS2021_00005" in [patient.case_id for patient in find_patients(tmp_path)]


def test_another_spelling_of_a_files_name(tmp_path, make_patient_folder, monkeypatch):
    """Where the file system takes names of other case or normalization, so do we."""
    folder = make_patient_folder(tmp_path)
    typed = folder / "BRATS2021_00005_T1.nii.gz"
    known = folder / "BraTS2021_00005_t1.nii.gz"

    def as_on_a_mac(path):
        return known if Path(path) == typed else path

    for name in ("exists", "isfile"):
        plain = getattr(os.path, name)
        monkeypatch.setattr(os.path, name, lambda path, plain=plain: plain(as_on_a_mac(path)))
    plain_same = os.path.samefile
    monkeypatch.setattr(
        os.path, "samefile", lambda a, b: plain_same(as_on_a_mac(a), as_on_a_mac(b))
    )
    assert recognize(typed).case_id == "BraTS2021_00005"
    assert recognize(typed).images["t1"] == known
