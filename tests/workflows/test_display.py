"""Whether a window can open, found out without opening one."""

import subprocess
import sys

import pytest

from napari_brats.workflows import display


@pytest.fixture(autouse=True)
def on_linux_with_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a machine where everything is there."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setattr(display, "find_spec", lambda name: name)
    answer(monkeypatch, stdout="4.5\n")


def answer(
    monkeypatch: pytest.MonkeyPatch, *, returncode: int = 0, stdout: str = "", stderr: str = ""
) -> None:
    """Let the probe end like this."""
    done = subprocess.CompletedProcess([], returncode, stdout, stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


def test_with_everything_there_a_window_opens() -> None:
    """No reason means a window."""
    assert display.why_no_window() is None
    assert display.opengl_version() == ("4.5", None)


def test_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux neither X11 nor Wayland means no window."""
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert display.why_no_window() == "there is no display"
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert display.why_no_window() is None


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_need_no_variable(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows have a display without saying so."""
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert display.why_no_window() is None


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "offscreen:size=1x1"])
def test_qt_told_to_draw_nothing(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt's own headless platforms have no OpenGL."""
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert "QT_QPA_PLATFORM" in (display.why_no_window() or "")


@pytest.mark.parametrize(
    ("absent", "words"),
    [({"napari"}, "napari is not installed"), ({"PyQt6", "PySide6"}, "no Qt is installed")],
)
def test_missing_packages_come_with_the_cure(
    absent: set[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason says what to install."""
    monkeypatch.setattr(display, "find_spec", lambda name: None if name in absent else name)
    reason = display.why_no_window() or ""
    assert words in reason
    assert "napari-brats[all]" in reason


def test_an_aborting_qt_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt kills its process where it finds no display; the first line says why."""
    answer(monkeypatch, returncode=-6, stderr="\ncould not connect to display :9\nmore\n")
    reason = display.why_no_window() or ""
    assert "could not connect to display :9" in reason
    assert "more" not in reason


def test_a_hanging_driver_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that never answers does not hang the program."""

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("probe", 1.0)

    monkeypatch.setattr(subprocess, "run", hang)
    assert display.why_no_window() == "the graphics driver does not answer"
