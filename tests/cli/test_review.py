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
    ):
        assert main(["review", *arguments]) == 2
        assert says in capsys.readouterr().err
    assert not list(folder.glob("*_review.json"))
