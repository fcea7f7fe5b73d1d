"""Which mask belongs to which reference: by names alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.errors import CaseError
from napari_brats.workflows.pairing import find_references, group_masks, pair_up

MakePatient = Callable[..., Path]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def names(folder: Path, references: Path) -> dict[str, str]:
    return {case: mask.name for case, mask, _ in pair_up(folder, references).matched}


def test_patients_and_named_masks(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """A folder of patients against masks named after them; the rest is listed with its reason."""
    data = tmp_path / "data"
    for number in (1, 2, 3):
        make_patient_folder(data, case_id=f"BraTS2021_0000{number}")
    masks = touch(
        tmp_path / "masks",
        "BraTS2021_00001.nii.gz",
        "BraTS2021_00002_net_mask.nii.gz",
        "BraTS2021_00002_net_mask-2.nii.gz",
        "BraTS2021_00009.nii.gz",
        "notes.txt",
    )
    pairs = pair_up(masks, data)
    assert names(masks, data) == {"BraTS2021_00001": "BraTS2021_00001.nii.gz"}
    reasons = "\n".join(pairs.unmatched)
    assert "BraTS2021_00003: no mask" in reasons
    assert "BraTS2021_00002: 2 masks" in reasons
    assert "no reference for the mask 'BraTS2021_00009.nii.gz'" in reasons
    assert "notes" not in reasons


def test_masks_beside_the_images(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """In the patients' own folders, images and references are not taken for masks."""
    folder = make_patient_folder(tmp_path)
    touch(folder, "BraTS2021_00005_net_mask.nii.gz")
    assert names(tmp_path, tmp_path) == {"BraTS2021_00005": "BraTS2021_00005_net_mask.nii.gz"}


def test_files_alone(tmp_path: Path) -> None:
    """References of an edition, or of anybody: the id is what stays without the ending."""
    truth = touch(
        tmp_path / "truth", "BraTS-GLI-00005-000-seg.nii.gz", "BraTS-GLI-00005-100-seg.nii.gz"
    )
    assert list(find_references(truth)) == ["BraTS-GLI-00005-000", "BraTS-GLI-00005-100"]
    masks = touch(tmp_path / "masks", "BraTS-GLI-00005-100.nii.gz", "x/BraTS-GLI-00005-000.nii.gz")
    assert set(names(masks, truth)) == set(find_references(truth))
    plain = touch(tmp_path / "plain", "anna.nii.gz", "anna2.nii.gz")
    other = touch(tmp_path / "other", "anna2.nii.gz", "anna/mask.nii.gz")
    assert names(other, plain) == {"anna": "mask.nii.gz", "anna2": "anna2.nii.gz"}


def test_the_longest_case_wins(tmp_path: Path) -> None:
    """A case whose id begins another's does not take the other's mask."""
    truth = touch(tmp_path / "truth", "p-1.nii.gz", "p-1-2.nii.gz")
    masks = touch(tmp_path / "masks", "p-1-2_net.nii.gz", "p-1_net.nii.gz", "p-10.nii.gz")
    assert names(masks, truth) == {"p-1": "p-1_net.nii.gz", "p-1-2": "p-1-2_net.nii.gz"}


def test_nothing_to_compare(tmp_path: Path) -> None:
    """An empty folder and folders without a common case are told apart."""
    empty = touch(tmp_path / "empty", "readme.txt")
    masks, truth = touch(tmp_path / "a", "one.nii.gz"), touch(tmp_path / "b", "two.nii.gz")
    with pytest.raises(CaseError, match="no reference mask"):
        pair_up(masks, empty)
    with pytest.raises(CaseError, match=r"matches.*two: no mask"):
        pair_up(masks, truth)


def test_relative_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders given from where one stands are matched, and what is left over is named."""
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "truth/one.nii.gz", "masks/one.nii.gz", "masks/x/two.nii.gz")
    (stray,) = pair_up(Path("masks"), Path("truth")).unmatched
    assert stray == f"no reference for the mask {str(Path('x/two.nii.gz'))!r}"
    monkeypatch.chdir(tmp_path / "masks")
    readings = group_masks([Path("../truth"), Path()])
    assert list(readings.cases["one"]) == ["truth", "masks"]


def test_hidden_folders_hold_no_masks(tmp_path: Path) -> None:
    """What a file server or a Mac leaves in hidden folders and files is no second mask."""
    truth = touch(tmp_path / "truth", "one.nii.gz", ".AppleDouble/one.nii.gz", "._one.nii.gz")
    masks = touch(tmp_path / "masks", "one.nii.gz", ".AppleDouble/one.nii.gz", "._one.nii.gz")
    assert pair_up(masks, truth).unmatched == ()
    assert names(masks, truth) == {"one": "one.nii.gz"}
