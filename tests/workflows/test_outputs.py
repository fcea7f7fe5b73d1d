"""Where results go, and what is refused before anything is computed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.case import load_case, segmentation_of
from napari_brats.errors import OutputError
from napari_brats.naming import NAMINGS, find_patients, recognize
from napari_brats.workflows.outputs import (
    check_folder,
    check_target,
    folder_beside,
    resolve_output,
    save_new,
)

MakePatient = Callable[..., Path]


@pytest.mark.parametrize("naming", [*NAMINGS, "msd-task01", "nnunet"])
def test_the_default_mask_is_never_taken_for_a_patients_file(
    naming: str, tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """In every edition, a mask beside the case changes nothing in what is recognized."""
    path = make_patient_folder(tmp_path, naming)
    before = find_patients(tmp_path)
    case = load_case(path)
    for _ in range(2):
        target = resolve_output(folder_beside(path), case, "dresunet3d-lite")
        target.write_bytes(next(iter(case.image_paths.values())).read_bytes())
    assert find_patients(tmp_path) == before
    assert recognize(path) == before[0]


def test_a_patients_mask_keeps_its_format(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """NIfTI patients get compressed NIfTI, MetaImage patients get MetaImage."""
    names = [
        resolve_output(tmp_path, load_case(make_patient_folder(tmp_path, naming)), "net").name
        for naming in ("brats2021", "brats2012-2015")
    ]
    assert names[0] == "BraTS2021_00005_net_mask.nii.gz"
    assert names[1].endswith("_net_mask.mha")


def test_decathlon_masks_stay_out_of_the_image_folder(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Every volume in imagesTr is a patient, so results go beside that folder."""
    assert folder_beside(make_patient_folder(tmp_path, "msd-task01")) == tmp_path


def test_an_earlier_mask_is_never_replaced_by_default(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """It may have been corrected by hand; the next one is numbered."""
    case = load_case(make_patient_folder(tmp_path))
    first = resolve_output(tmp_path, case, "net")
    first.touch()
    second = resolve_output(tmp_path, case, "net")
    second.touch()
    third = resolve_output(tmp_path, case, "net")
    assert [path.name for path in (first, second, third)] == [
        f"BraTS2021_00005_net_mask{number}.nii.gz" for number in ("", "-2", "-3")
    ]


def test_a_named_file_is_taken_as_it_is(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Who names a file means it, whether it exists or not."""
    case = load_case(make_patient_folder(tmp_path))
    target = tmp_path / "new" / "mine.nii.gz"
    assert resolve_output(target, case, "net") == target


@pytest.mark.parametrize("name", ["mask", "mask.png", ".nii.gz", "mask.gz"])
def test_other_endings_are_refused(
    name: str, tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """The message names the endings that can be written and the option."""
    case = load_case(make_patient_folder(tmp_path))
    with pytest.raises(OutputError, match=r"\.nii\.gz or \.nii.*--output"):
        check_target(tmp_path / name, case, (".nii.gz", ".nii"), "--output")


@pytest.mark.parametrize("kind", ["flair", "reference", "link"])
def test_source_files_are_refused(
    kind: str, tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Neither an image nor the reference can be the target, through a link neither."""
    case = load_case(make_patient_folder(tmp_path))
    assert case.reference_path is not None
    target = {
        "flair": case.image_paths["flair"],
        "reference": case.reference_path,
        "link": tmp_path / "link.nii.gz",
    }[kind]
    if kind == "link":
        target.symlink_to(case.image_paths["t1"])
    with pytest.raises(OutputError, match="source file, which is never overwritten"):
        check_target(target, case, (".nii.gz",), "--output")


def test_another_patients_files_are_refused_early(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """An image or a reference of somebody else is refused before anything is computed."""
    case = load_case(make_patient_folder(tmp_path))
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00009")
    for path in other.iterdir():
        with pytest.raises(OutputError, match="never overwritten"):
            check_target(path, case, (".nii.gz",), "--output")


def test_a_read_only_folder_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to "permission denied" is --output."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="read-only; give another place with --output"):
        check_folder(tmp_path / "not" / "yet", "--output")


def test_a_file_in_the_path_is_named(tmp_path: Path) -> None:
    """A folder cannot be made where a file stands."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        check_folder(tmp_path / "file" / "below", "--output")


def test_a_folder_that_can_be_made_is_fine(tmp_path: Path) -> None:
    """Folders that lack are made on writing, so they are no error."""
    check_folder(tmp_path / "a" / "b", "--output")


def test_a_name_taken_meanwhile_is_left(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """A mask saved by hand while the network ran stays; ours gets the next number."""
    case = load_case(make_patient_folder(tmp_path))
    assert case.reference is not None
    mask = segmentation_of(case, case.reference)
    first = save_new(mask, tmp_path, case, "net")
    names = iter([first, tmp_path / "BraTS2021_00005_net_mask-2.nii.gz"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_brats.workflows.outputs.resolve_output", lambda *_: next(names))
        second = save_new(mask, tmp_path, case, "net")
    assert (first.name, second.name) == (
        "BraTS2021_00005_net_mask.nii.gz",
        "BraTS2021_00005_net_mask-2.nii.gz",
    )


def test_a_drive_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder above exists, not even the root: said at once."""
    monkeypatch.setattr("napari_brats.workflows.outputs.os.path.exists", lambda path: False)
    with pytest.raises(OutputError, match=r"no drive or share .*--output"):
        check_folder(Path("/nowhere/at/all"), "--output")


def test_a_protected_file_is_refused_early(
    tmp_path: Path, make_patient_folder: MakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the network runs, not after."""
    case = load_case(make_patient_folder(tmp_path))
    target = tmp_path / "mine.nii.gz"
    target.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != target)
    with pytest.raises(OutputError, match="write-protected"):
        check_target(target, case, (".nii.gz",), "--output")
