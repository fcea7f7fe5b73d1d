"""``napari-brats train``: train a network on patients with reference masks or on made ones."""

import argparse
import json
import signal
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import MISSING, Field, asdict, fields, replace
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from napari_brats.errors import BratsError
from napari_brats.training.config import TrainConfig
from napari_brats.training.resume import read_config
from napari_brats.training.settings import config_of_preset

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.training.reports import Progress as Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag for every field of `TrainConfig`; what is not given stays unset."""
    hints = get_type_hints(TrainConfig)
    for field in fields(TrainConfig):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", **_how(field, _required_type(hints[field.name]))
        )
    parser.add_argument(
        "--events",
        action="store_true",
        help="for programs: print each report as a line of JSON, and stop when stdin ends",
    )


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Train, showing every report."""
    try:
        from napari_brats.training.loop import train
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("napari_brats"):
            raise
        raise BratsError(
            f"training needs the package {error.name!r}, which is not installed; "
            'run pip install "napari-brats[train]"'
        ) from error
    config = config_of(args)
    (_for_a_program if args.events else _for_a_person)(config, train, terminal)
    return 0


def _for_a_person(config: TrainConfig, train: Callable[..., Path], terminal: "Terminal") -> None:
    """Train with a progress bar; Ctrl-C ends in good order."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def show(report: "Report") -> None:
            text = f"step {report.step}, loss {report.loss:.3f}"
            progress.update(task, completed=report.fraction, description=text)
            if report.holdout_dice is not None:
                dice = ", ".join(f"{value:.3f}" for value in report.holdout_dice)
                terminal.notice(f"{text}: Dice of WT, TC, ET on held-out patients {dice}")

        with _stoppable(terminal.notice) as stop:
            weights = train(config, on_progress=show, on_notice=terminal.notice, stop=stop.is_set)
    if stop.is_set():
        terminal.notice(f"stopped; to go on: train --resume --output {str(config.output)!r}")
    terminal.say(f"weights: {weights.resolve()}")


def _for_a_program(config: TrainConfig, train: Callable[..., Path], terminal: "Terminal") -> None:
    """Train; stdout gets nothing but lines of JSON, and the end of stdin stops."""
    stop, stdout = Event(), sys.stdout

    def say(**content: Any) -> None:
        print(json.dumps(content), file=stdout, flush=True)

    def listen() -> None:
        sys.stdin.read()
        stop.set()

    Thread(target=listen, daemon=True).start()
    with redirect_stdout(sys.stderr):
        weights = train(
            config,
            on_progress=lambda report: say(progress=asdict(report)),
            on_notice=lambda line: say(notice=line),
            stop=stop.is_set,
        )
    say(weights=str(weights.resolve()), stopped=stop.is_set())


@contextmanager
def _stoppable(on_notice: Callable[[str], None]) -> Iterator[Event]:
    """Let the first Ctrl-C set the event, and the second end the process at once."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop  # only the main thread may listen to signals
        return

    def ask(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.set()
        on_notice("stopping after this step; press Ctrl-C again to stop at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def config_of(args: argparse.Namespace) -> TrainConfig:
    """Return the settings that the flags say; what they do not, the resumed training does."""
    given = {
        field.name: getattr(args, field.name)
        for field in fields(TrainConfig)
        if hasattr(args, field.name)
    }
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
    if given.get("resume"):
        return replace(read_config(given.get("output", TrainConfig.output)), **given)
    preset, model = (given.pop(name, getattr(TrainConfig, name)) for name in ("preset", "model"))
    return config_of_preset(preset, model, **given)


def _required_type(hint: Any) -> Any:
    """Return ``X`` for ``X | None``; flags are optional anyway."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (arm for arm in get_args(hint) if arm is not type(None))
    return hint


def _how(field: Field[Any], kind: Any) -> dict[str, Any]:
    """Return the arguments of `add_argument` for one field."""
    shown = "none" if field.default in (None, ()) else _plain(field.default)
    text = field.metadata["help"]
    how: dict[str, Any] = {"help": text if "default:" in text else f"{text} (default: {shown})"}
    if field.default is MISSING:
        raise TypeError(f"TrainConfig.{field.name} needs a default to become a flag")
    how["default"] = argparse.SUPPRESS
    if kind is bool:
        return {**how, "action": argparse.BooleanOptionalAction}
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        count: int | str = "+" if inner[-1] is Ellipsis else len(inner)
        return {**how, "type": inner[0], "nargs": count, "metavar": _metavar(inner[0])}
    return {**how, "type": kind, "metavar": _metavar(kind)}


def _plain(value: object) -> str:
    return " ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _metavar(kind: Any) -> str:
    return {int: "N", float: "X", Path: "PATH"}.get(kind, "NAME")
