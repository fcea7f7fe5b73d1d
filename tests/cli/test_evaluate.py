"""``napari-brats evaluate``: what it prints, and how it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.cli import main

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folders(tmp_path: Path, make_patient_folder: MakePatient) -> tuple[Path, Path]:
    """Return (masks, data): two patients, a mask of each, and a mask of nobody."""
    data, masks = tmp_path / "data", tmp_path / "masks"
    masks.mkdir()
    for number in (1, 2):
        case = f"BraTS2021_0000{number}"
        reference = make_patient_folder(data, case_id=case) / f"{case}_seg.nii.gz"
        shutil.copy(reference, masks / f"{case}.nii.gz")
    shutil.copy(reference, masks / "stranger.nii.gz")
    return masks, data


def test_folders_as_json(folders: tuple[Path, Path], tmp_path: Path, capsys: Captured) -> None:
    """Cases, summary, what did not match, the comparison, and the tables beside."""
    masks, data = map(str, folders)
    table, lesions = tmp_path / "out.csv", tmp_path / "lesions.csv"
    files = ["--csv", str(table), "--lesions", str(lesions)]
    assert main(["evaluate", masks, data, "--against", masks, *files, "--json"]) == 0
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert list(content["cases"]) == ["BraTS2021_00001", "BraTS2021_00002"]
    assert content["summary"]["WT"]["dice"]["mean"] == 1.0
    assert content["comparison"]["tests"]["WT"]["dice"]["ties"] == 2
    assert "stranger" in content["unmatched"][0]
    assert "stranger" in captured.err
    assert table.read_text().startswith("case,task,region,dice,")
    assert lesions.read_text().startswith("case,task,generation,region,lesion,status,x,y,z,")


def test_folders_as_tables(folders: tuple[Path, Path], capsys: Captured) -> None:
    """Summary, rules and comparison in words; by task where asked for."""
    masks, data = map(str, folders)
    assert main(["evaluate", masks, data, "--against", masks, "--by-task"]) == 0
    text = capsys.readouterr().out
    assert "GLI: 2 cases" in text
    assert "BraTS 2023 lesion-wise (GLI)" in text
    assert "Wilcoxon" in text
    assert "WT tie" in text


def test_one_pair_with_its_rules(folders: tuple[Path, Path], capsys: Captured) -> None:
    """Each generation's rule stands below its numbers; the task and HD95 can be chosen."""
    masks, data = folders
    pair = [str(masks / "BraTS2021_00001.nii.gz"), str(data / "BraTS2021_00001")]
    assert main(["evaluate", *pair, "--hd95", "surfels", "--by-task", "MET"]) == 0
    text = capsys.readouterr().out
    assert "surfels: " in text
    assert "BraTS 2026 (MET)" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by-task", "MARS"], "'MARS' is no task"),
        (["--tolerance", "-1"], "no distance in mm"),
        (["--hd95", "exact"], "invalid choice"),
    ],
)
def test_wrong_options_are_one_line(options: list[str], message: str, capsys: Captured) -> None:
    """A wrong choice names the choices."""
    with pytest.raises(SystemExit):
        main(["evaluate", "a", "b", *options])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scores.txt", "masks/stranger.nii.gz/scores.csv"])
def test_a_file_that_cannot_be_written_is_refused_first(
    name: str, folders: tuple[Path, Path], tmp_path: Path, capsys: Captured
) -> None:
    """Before any case is scored."""
    masks, data = map(str, folders)
    assert main(["evaluate", masks, data, "--csv", str(tmp_path / name)]) == 2
    assert "--csv" in capsys.readouterr().err


def test_against_needs_folders(folders: tuple[Path, Path], capsys: Captured) -> None:
    """One pair has nobody to compete with."""
    masks, data = folders
    mask = str(masks / "BraTS2021_00001.nii.gz")
    assert main(["evaluate", mask, str(data / "BraTS2021_00001"), "--against", str(masks)]) == 2
    assert "--against compares folders" in capsys.readouterr().err
