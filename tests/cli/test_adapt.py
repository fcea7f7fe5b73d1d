"""``adapt``: flags out of `AdaptConfig`, the table and the verdict."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from napari_brats.cli import main
from napari_brats.errors import Cancelled
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.verdict import HELD_BACK, Adaptation, Compared

Captured = pytest.CaptureFixture[str]
BETTER = Adaptation(
    model="dresunet3d-lite",
    candidate="ward",
    installed=True,
    objections=(),
    compared=(
        Compared(
            "case-1",
            HELD_BACK,
            {"WT": 0.5, "TC": 0.5, "ET": 0.5},
            {"WT": 0.8, "TC": 0.7, "ET": 0.6},
        ),
    ),
    trained_on=("case-2", "case-3"),
    steps=40,
    minutes=9.5,
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Adaptation]], None]:
    """Put a function in the place of `adapt`, which needs torch."""

    def put(adapt: Callable[..., Adaptation]) -> None:
        module = ModuleType("napari_brats.training.adapt")
        module.adapt = adapt  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


def test_every_setting_is_a_flag(capsys: Captured) -> None:
    """A setting that the table gains is on the command line at once."""
    with pytest.raises(SystemExit):
        main(["adapt", "--help"])
    text = capsys.readouterr().out
    for field in fields(AdaptConfig):
        assert f"--{field.name.replace('_', '-')}" in text


def test_a_better_model(fake: Any, capsys: Captured) -> None:
    """The table, the name to use it by and the command to go back; settings arrive."""
    seen: list[AdaptConfig] = []

    def adapt(config: AdaptConfig, **_: object) -> Adaptation:
        seen.append(config)
        return BETTER

    fake(adapt)
    assert main(["adapt", "--cases", "a", "b", "--all", "--minutes", "5"]) == 0
    assert seen == [AdaptConfig(cases=(Path("a"), Path("b")), all=True, minutes=5.0)]
    out = capsys.readouterr().out
    for words in ("case-1", "+0.200", "--model ward", "models rollback ward"):
        assert words in out


def test_no_better_model_is_exit_code_1(fake: Any, capsys: Captured) -> None:
    """A script can tell; the reasons are said, or are in the JSON."""
    worse = replace(BETTER, installed=False, objections=("ET fell",))
    fake(lambda config, **_: worse)
    assert main(["adapt", "--cases", "a"]) == 1
    out = capsys.readouterr().out
    assert "nothing was installed" in out
    assert "ET fell" in out
    assert main(["adapt", "--cases", "a", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["installed"], value["objections"]) == (None, ["ET fell"])


def test_a_program_gets_lines_of_json(
    fake: Any, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """With --events the last line is what came of it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def adapt(config: AdaptConfig, *, on_notice: Any, **_: object) -> Adaptation:
        on_notice("comparing")
        return BETTER

    fake(adapt)
    assert main(["adapt", "--cases", "a", "--events"]) == 0
    notice, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert notice == {"notice": "comparing"}
    assert end["adaptation"]["installed"] == "ward"


def test_mistakes_and_ctrl_c(fake: Any, capsys: Captured) -> None:
    """Nothing to learn from; given up on request."""
    assert main(["adapt"]) == 2
    assert "--cases" in capsys.readouterr().err

    def stopped(config: AdaptConfig, **_: object) -> Adaptation:
        raise Cancelled("stopped; nothing was installed")

    fake(stopped)
    assert main(["adapt", "--cases", "a"]) == 130
