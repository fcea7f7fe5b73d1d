"""The demonstration, with and without a window."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from napari_brats.cli import main
from napari_brats.workflows import demo, display

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def working_folder(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    monkeypatch: pytest.MonkeyPatch,
    fake_predictor: list[tuple[str, ...]],
) -> Path:
    """Return an empty current folder; the sample is tiny and the network a fake."""
    assert fake_predictor == []
    patient = make_patient_folder(tmp_path / "samples")
    monkeypatch.setattr(demo, "demo_patient", lambda: patient)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str]]:
    """Return the list of (path, model) that a window opens with."""
    calls: list[tuple[Path, str]] = []
    launch = ModuleType("napari_brats.widgets.launch")
    launch.open_case = (  # type: ignore[attr-defined]
        lambda path, *, model, result: calls.append((path, f"{model} {result.case.case_id}"))
    )
    monkeypatch.setitem(sys.modules, launch.__name__, launch)
    return calls


def files_of(folder: Path) -> list[str]:
    return sorted(path.name.rpartition("dresunet3d-lite_")[2] for path in folder.iterdir())


def test_without_a_display_files_say_what_happened(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Mask, figure and numbers lie in ./napari-brats-demo; one line says where and why."""
    monkeypatch.setattr(display, "why_no_window", lambda: "there is no display")
    assert main(["demo"]) == 0
    folder = working_folder / "napari-brats-demo"
    assert files_of(folder) == ["mask.nii.gz", "overview.png", "result.json"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(folder) in last
    assert "no window opened: there is no display" in last
    numbers = json.loads(next(folder.glob("*.json")).read_text())
    assert numbers["scores"]["WT"]["dice"] == 1.0
    assert Path(numbers["output"]).name.endswith("_mask.nii.gz")
    assert 0 < numbers["seconds"]["save"] < numbers["seconds"]["total"]


def test_headless_opens_nothing(
    working_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: list[tuple[Path, str]],
    capsys: Captured,
) -> None:
    """``--headless`` opens nothing even where a window could, and says why."""
    monkeypatch.setattr(display, "why_no_window", lambda: None)
    assert main(["demo", "--headless", "--output", "elsewhere"]) == 0
    assert len(files_of(working_folder / "elsewhere")) == 3
    assert opened == []
    assert "--headless was given" in capsys.readouterr().out


def test_with_a_display_napari_opens_and_nothing_is_written(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, opened: list[tuple[Path, str]]
) -> None:
    """The window gets the patient and the result; files are not forced on anybody."""
    monkeypatch.setattr(display, "why_no_window", lambda: None)
    assert main(["demo"]) == 0
    assert opened == [(demo.demo_patient(), "dresunet3d-lite BraTS2021_00005")]
    assert list(working_folder.iterdir()) == []


def test_files_and_window_where_both_are_asked_for(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, opened: list[tuple[Path, str]]
) -> None:
    """``--output`` with a display gives both."""
    monkeypatch.setattr(display, "why_no_window", lambda: None)
    assert main(["demo", "--output", "both"]) == 0
    assert len(files_of(working_folder / "both")) == 3
    assert len(opened) == 1


def test_a_napari_that_does_not_load_is_a_reason(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """A broken installation of napari costs the window, not the result."""
    monkeypatch.setattr(display, "why_no_window", lambda: None)
    monkeypatch.setitem(sys.modules, "napari_brats.widgets.launch", None)
    assert main(["demo"]) == 0
    assert len(files_of(working_folder / "napari-brats-demo")) == 3
    assert "napari does not load" in capsys.readouterr().out


def test_a_second_demonstration_replaces_the_first(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder does not fill up."""
    monkeypatch.setattr(display, "why_no_window", lambda: "there is no display")
    assert main(["demo"]) == 0
    assert main(["demo"]) == 0
    assert len(files_of(working_folder / "napari-brats-demo")) == 3


def test_a_folder_that_cannot_be_written_is_told_first(
    working_folder: Path, capsys: Captured, fake_predictor: list[tuple[str, ...]]
) -> None:
    """Nothing is computed for a place that cannot take it."""
    (working_folder / "file").touch()
    assert main(["demo", "--headless", "--output", "file"]) == 2
    assert "is a file" in capsys.readouterr().err
    assert fake_predictor == []
