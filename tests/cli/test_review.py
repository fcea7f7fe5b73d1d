"""``review``: one line to mark a case, a table to see how all stand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.cli import main

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


def save_mask(folder: Path) -> Path:
    case = load_case(folder)
    assert case.reference is not None
    path = folder / f"{case.case_id}_net_mask.nii.gz"
    return save_segmentation(segmentation_of(case, case.reference), path)


def test_mark_and_list(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """What was marked is in the table, with who and which mask; the others have not begun."""
    first = make_patient_folder(tmp_path)
    make_patient_folder(tmp_path, case_id="BraTS2021_00006")
    mask = save_mask(first)
    assert main(["review", str(first), "--done", "--reader", "Ada", "--notes", "easy"]) == 0
    assert f"({mask.name}): done, says Ada" in capsys.readouterr().out
    assert main(["review", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "not started" in table
    assert "Ada" in table
    assert main(["review", str(tmp_path), "--json"]) == 0
    reviews = json.loads(capsys.readouterr().out)["reviews"]
    assert [row["state"] for row in reviews] == ["done", "not started"]
    assert reviews[0]["mask"] == mask.name


def test_mistakes(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """No reader, no mask, no patient: one line each, and nothing is written."""
    folder = make_patient_folder(tmp_path)
    for arguments, says in (
        ([str(folder), "--done"], "nobody is named"),
        ([str(folder), "--done", "--reader", "Ada"], "no saved mask"),
        ([str(tmp_path / "none")], "does not exist"),
        ([str(folder), "--reader", "Ada", "--notes", "rim?"], "nothing was marked"),
    ):
        assert main(["review", *arguments]) == 2
        assert says in capsys.readouterr().err
    assert not list(folder.glob("*_review.json"))


def test_what_was_changed_since_and_what_is_damaged(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """A changed mask is outdated, a lost one too; a damaged file costs no other case its line."""
    folders = [make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{n}") for n in range(3)]
    masks = [save_mask(folder) for folder in folders]
    for folder in folders:
        assert main(["review", str(folder), "--done", "--reader", "Ada"]) == 0
    make_patient_folder(tmp_path, case_id="BraTS2021_00004")
    masks[0].write_bytes(masks[0].read_bytes() + b" ")
    masks[1].unlink()
    (folders[2] / f"{folders[2].name}_review.json").write_text("{")
    capsys.readouterr()
    assert main(["review", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("done, outdated") == 2
    assert "was changed after its review" in captured.err
    assert "BraTS2021_00002: cannot read the reviews" in captured.err
    assert main(["review", str(tmp_path), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [bool(row["outdated"]) for row in content["reviews"]] == [True, True, False]
    assert list(content["failed"]) == ["BraTS2021_00002"]
