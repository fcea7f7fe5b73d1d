"""Tables: nothing is cut, whatever the width."""

import io
import os
import re
import subprocess
import sys

import pytest

from napari_brats.cli.terminal import Terminal

Captured = pytest.CaptureFixture[str]
HEADINGS = ("region", *(f"metric number {place}" for place in range(12)))
ROWS = [(name, *(f"{place + 0.125:.3f}" for place in range(12))) for name in ("WT", "SNFH")]


class Window(io.StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        return True


def shown(width: int, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    window = Window()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", window)
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "xterm")
        patch.setenv("NO_COLOR", "1")
        Terminal().table(headings, rows)
    return re.sub(r"\x1b\[\d*m", "", window.getvalue())


@pytest.mark.parametrize("width", [30, 80, 81, 120, 200])
def test_numbers_are_whole_at_any_width(width: int) -> None:
    """Each number stands there once and whole, beside its row's name, within the window."""
    text = shown(width, HEADINGS, ROWS)
    assert "…" not in text
    words = text.split()
    for _, *numbers in ROWS:
        assert all(words.count(number) == len(ROWS) for number in numbers)
    parts = words.count("SNFH")
    assert parts == words.count("region") >= 1
    assert max(map(len, text.splitlines())) <= width


def test_text_is_folded_not_cut() -> None:
    """A long path is there to its last letter."""
    path = "/data/" + "x" * 90 + ".nii.gz"
    text = shown(60, ("case", "<mask", "score"), [("BraTS2021_00005", path, "0.125")])
    assert "".join(text.split()).count("x") >= 90
    assert ".nii.gz" in "".join(text.split())
    assert "0.125" in text


def test_headings_are_no_markup(capsys: Captured) -> None:
    """A reader's name in brackets is printed, not taken for a style."""
    Terminal().table(("Dice", "case[v1]", "case[v2]"), [("case[v1]", "1.000", "0.900")])
    printed = capsys.readouterr().out
    assert printed.count("[v1]") == 2
    assert "[v2]" in printed


@pytest.mark.skipif(os.name != "posix", reason="pipes that close are POSIX")
def test_a_table_into_a_closed_pipe() -> None:
    """``napari-brats models | head -0`` ends with 141 and without a word."""
    words = f"{sys.executable} -m napari_brats models | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


@pytest.mark.parametrize(("step", "shown"), [((0, 0), "0/?"), ((3, 8), "3/8")])
def test_a_step_whose_total_is_not_known_yet(
    step: tuple[int, int], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and preparing have no windows: the bar is there, and says so."""
    window = Window()
    monkeypatch.setattr(sys, "stderr", window)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with Terminal().progress("segmenting") as on_step:
        on_step(*step)
    assert "segmenting" in window.getvalue()
    assert shown in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", window.getvalue())
