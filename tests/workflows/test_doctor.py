"""The examination of an installation: every problem comes with what to do."""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from napari_brats.cli import main
from napari_brats.networks.card import Card
from napari_brats.workflows import doctor
from napari_brats.workflows.doctor import Finding


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a folder with weights and a card that fit each other."""
    content = b"weights"
    (tmp_path / "net-lite.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    card = Card("net-lite", "dresunet3d", "lite", "r", ("t1",), "regions", sha256=digest)
    (tmp_path / "net-lite.json").write_text(json.dumps(card.to_json()))
    return tmp_path


def test_whole_weights_are_fine(bundle: Path) -> None:
    """The checksum in the card is that of the file."""
    (finding,) = doctor.weights(bundle)
    assert finding.state == "ok"


def test_the_bundle_itself_is_whole() -> None:
    """All that comes along is known and right, the scores of all models together included."""
    findings = list(doctor.weights())
    assert {finding.state for finding in findings} == {"ok"}
    assert len(findings) == len(list(doctor.WEIGHTS_FOLDER.glob("*.safetensors")))


@pytest.mark.parametrize("damage", ["flip", "delete", "card", "all"])
def test_damaged_weights_are_a_problem(damage: str, bundle: Path) -> None:
    """A changed byte, a missing file, a broken card: reinstall."""
    weights, card = bundle / "net-lite.safetensors", bundle / "net-lite.json"
    if damage == "flip":
        weights.write_bytes(b"Weights")
    if damage in ("delete", "all"):
        weights.unlink()
    if damage == "card":
        card.write_text("{")
    if damage == "all":
        card.unlink()
    (finding,) = doctor.weights(bundle)
    assert finding.state == "problem"
    assert "reinstall" in finding.cure


def test_added_models_are_looked_at(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged one is to be removed and added again; that there are none is no problem."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(bundle / "none"))
    assert list(doctor.added_weights()) == []
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(bundle))
    (finding,) = doctor.added_weights()
    assert finding.state == "ok"
    (bundle / "net-lite.safetensors").unlink()
    (finding,) = doctor.added_weights()
    assert finding.state == "problem"
    assert "models remove net-lite" in finding.cure


@pytest.mark.parametrize(
    ("found", "python", "state"),
    [
        ("6.12.0", (3, 11), "problem"),
        ("6.12.0", (3, 12), "ok"),
        ("6.11.1", (3, 13), "problem"),
        ("6.10.2", (3, 11), "ok"),
    ],
)
def test_pyside_versions_that_crash(
    found: str, python: tuple[int, int], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PySide6 6.12 crashes on Python 3.11, napari excludes 6.11.0 and 6.11.1."""
    monkeypatch.setattr(sys, "version_info", python)
    monkeypatch.setattr(doctor, "qt_bindings", lambda: ["PySide6"])
    monkeypatch.setattr(doctor, "_installed", lambda _: found)
    monkeypatch.setattr(doctor, "why_no_window", lambda: "there is no display")
    finding = next(doctor.window())
    assert finding.state == state
    assert ("PyQt6" in finding.cure) == (state == "problem")


def test_a_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Needed packages are problems, good ones are notes."""
    monkeypatch.setattr(doctor, "_installed", lambda _: "")
    lines = ["torch>=2", 'napari[pyqt6]<1,>=0.9; extra == "all"', "pytest; extra == 'test'"]
    monkeypatch.setattr(doctor, "requires", lambda _: lines)
    needed, extra = doctor.packages()
    assert (needed.subject, needed.state, needed.cure) == ("torch", "problem", "pip install torch")
    assert (extra.subject, extra.state) == ("napari", "note")
    assert "napari-brats[all]" in extra.cure


def test_the_real_requirements_are_found() -> None:
    """The list of packages is the installed metadata's, extras included."""
    subjects = [finding.subject for finding in doctor.packages()]
    assert {"numpy", "torch", "napari", "highdicom", "dask"} <= set(subjects)
    assert len(subjects) == len(set(subjects))


def test_no_window_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster node is a fine place for everything but the window."""
    monkeypatch.setattr(doctor, "why_no_window", lambda: "there is no display")
    *_, finding = doctor.window()
    assert finding.state == "note"
    assert "there is no display" in finding.found


def test_a_window_shows_its_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    """The OpenGL version is what a bug report needs."""
    monkeypatch.setattr(doctor, "why_no_window", lambda: None)
    monkeypatch.setattr(doctor, "opengl_version", lambda: ("4.5", None))
    *_, finding = doctor.window()
    assert finding.found == "can open, OpenGL 4.5"


def test_a_read_only_folder_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written, --output helps."""
    assert doctor.writing(tmp_path).state == "ok"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "--output" in doctor.writing(tmp_path).cure


def test_devices_always_include_the_processor() -> None:
    """The CPU is there on every machine."""
    assert "cpu" in {finding.subject for finding in doctor.devices()}


@pytest.mark.parametrize("state", ["ok", "note", "problem"])
def test_the_exit_code_is_1_for_problems_only(
    state: doctor.State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can ask whether the installation is whole; every cure is printed."""
    finding = Finding("thing", state, "found", "" if state == "ok" else "do this")
    monkeypatch.setattr(doctor, "examine", lambda: iter([finding]))
    assert main(["doctor"]) == int(state == "problem")
    text = capsys.readouterr().out
    assert "thing: found" in text
    assert ("-> do this" in text) == (state != "ok")
