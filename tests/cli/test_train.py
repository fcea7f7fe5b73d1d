"""``train``: flags out of `TrainConfig`, reports out of the loop."""

import argparse
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from napari_brats.cli import main
from napari_brats.cli.train import add_arguments, config_of
from napari_brats.training.config import TrainConfig
from napari_brats.training.reports import Progress
from napari_brats.training.resume import write_config


def parse(*arguments: str) -> TrainConfig:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return config_of(parser.parse_args(arguments))


def test_without_flags_the_defaults_hold() -> None:
    """The flags' defaults are the dataclass's."""
    assert parse() == TrainConfig()


@pytest.mark.parametrize("field", fields(TrainConfig), ids=lambda field: field.name)
def test_every_field_is_a_flag_with_help(field: object, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting that the table gains is on the command line at once."""
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert f"--{field.name.replace('_', '-')}" in capsys.readouterr().out  # type: ignore[attr-defined]


def test_flags_are_converted_by_the_fields_types() -> None:
    """Numbers, switches, paths, lists of paths and triples arrive as such."""
    config = parse(
        "--data", "a", "b", "--crop", "32", "40", "48", "--minutes", "1.5",
        "--no-mixed-precision", "--steps", "7", "--cache", "c",
    )  # fmt: skip
    assert config.data == (Path("a"), Path("b"))
    assert config.crop == (32, 40, 48)
    assert config.minutes == 1.5
    assert config.mixed_precision is False
    assert config.steps == 7
    assert config.cache == Path("c")


def test_reports_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Notices and held-out Dice go to stderr, the checkpoint's place to stdout."""
    seen: list[TrainConfig] = []

    def train(config: TrainConfig, *, on_progress: Callable[..., None], **_: object) -> Path:
        seen.append(config)
        on_progress(SimpleNamespace(step=25, fraction=0.5, loss=1.0, holdout_dice=None))
        on_progress(SimpleNamespace(step=50, fraction=1.0, loss=0.5, holdout_dice=(0.8, 0.7, 0.6)))
        return config.output / "dresunet3d-lite.safetensors"

    loop = ModuleType("napari_brats.training.loop")
    loop.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, loop.__name__, loop)
    assert main(["train", "--output", str(tmp_path), "--steps", "50"]) == 0
    captured = capsys.readouterr()
    assert seen[0].steps == 50
    assert "step 50, loss 0.500: Dice of WT, TC, ET on held-out patients 0.800" in captured.err
    assert str(tmp_path) in captured.out


def test_a_listener_that_is_gone_stops_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The window crashed: its pipe is broken, and the training still writes its state."""
    ended: list[bool] = []

    def train(config: TrainConfig, *, on_progress: Any, on_notice: Any, stop: Any) -> Path:
        assert not stop()
        on_progress(Progress(25, 1.0, 0.5, 0.7, 1e-3, 0.0))
        ended.append(stop())
        return config.output / "weights.safetensors"

    def broken(_: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    loop = ModuleType("napari_brats.training.loop")
    loop.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, loop.__name__, loop)
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w"):
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys.stdout, "write", broken)
        assert main(["train", "--output", str(tmp_path), "--events"]) == 0
    assert ended == [True]


def test_a_program_gets_lines_of_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --events every line of stdout is JSON; the end of stdin asks to stop."""

    def train(config: TrainConfig, *, on_progress: Any, on_notice: Any, stop: Any) -> Path:
        print("a library talks")
        on_notice("training on 1 real patients")
        on_progress(Progress(25, 1.0, 0.5, 0.7, 1e-3, 0.0))
        while not stop():
            time.sleep(0.01)
        return config.output / "weights.safetensors"

    loop = ModuleType("napari_brats.training.loop")
    loop.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, loop.__name__, loop)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["train", "--output", str(tmp_path), "--events"]) == 0
    notice, progress, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert notice == {"notice": "training on 1 real patients"}
    assert progress["progress"]["step"] == 25
    assert end == {"weights": str(tmp_path.resolve() / "weights.safetensors"), "stopped": True}


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to oneself")
def test_the_first_interrupt_ends_in_good_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C stops after the step at hand and says how to go on; a second one stops at once."""

    def train(config: TrainConfig, *, stop: Any, **_: object) -> Path:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        if config.steps == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return config.output / "weights.safetensors"

    loop = ModuleType("napari_brats.training.loop")
    loop.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, loop.__name__, loop)
    assert main(["train", "--output", str(tmp_path)]) == 0
    assert "train --resume --output" in capsys.readouterr().err
    assert main(["train", "--output", str(tmp_path), "--steps", "2"]) == 130


def test_a_resumed_training_keeps_its_settings(tmp_path: Path) -> None:
    """What the flags do not say is what the interrupted training was begun with."""
    began = TrainConfig(output=tmp_path, batch=3, seed=4, data=(Path("a"),))
    write_config(began)
    config = parse("--resume", "--output", str(tmp_path), "--steps", "9")
    assert config == replace(began, resume=True, steps=9)


def test_training_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain installation cannot train; the line names package and extra."""
    for name in [name for name in sys.modules if name.startswith("napari_brats.training.")]:
        if not name.endswith(".config"):
            monkeypatch.delitem(sys.modules, name)
    absent = {name: None for name in sys.modules if name.partition(".")[0] == "monai"}
    for name in {"monai", *absent}:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["train"]) == 2
    assert "napari-brats[train]" in capsys.readouterr().err


def test_a_preset_fills_what_the_flags_leave() -> None:
    """--preset seed brings the authors' numbers; a flag beside it counts more."""
    config = parse("--preset", "seed", "--model", "unet3d", "--batch", "1")
    assert (config.size, config.recipe, config.learning_rate) == ("paper", "unet3d", 1e-4)
    assert (config.steps, config.batch, config.crop) == (0, 1, (128, 128, 128))
    assert parse("--preset", "seed", "--model", "kermi2018").crop == (128, 128, 1)
