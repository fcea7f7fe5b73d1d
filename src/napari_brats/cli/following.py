"""Follow a training while it runs: a bar for a person, lines of JSON for a program."""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from threading import Event, Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from napari_brats.errors import BratsError, Cancelled

if TYPE_CHECKING:
    import argparse

    from napari_brats.cli.terminal import Terminal
    from napari_brats.training.reports import Progress as Report

Result = TypeVar("Result", covariant=True)


class Work(Protocol[Result]):
    """What is followed: `train` or `adapt`, but for their settings."""

    def __call__(
        self,
        *,
        on_progress: "Callable[[Report], None]",
        on_notice: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> Result:
        """Do it."""


def add_events(parser: "argparse.ArgumentParser") -> None:
    """Declare ``--events``."""
    parser.add_argument(
        "--events",
        action="store_true",
        help="for programs: print each report as a line of JSON, and stop when stdin ends",
    )


@contextmanager
def needs_extra() -> Iterator[None]:
    """Say what to install where importing a training fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("napari_brats"):
            raise
        raise BratsError(
            f"training needs the package {error.name!r}, which is not installed; "
            'run pip install "napari-brats[train]"'
        ) from error


def for_a_person(work: Work[Result], terminal: "Terminal") -> tuple[Result, bool]:
    """Work with a progress bar; Ctrl-C ends in good order. Returns whether it came.

    Raises
    ------
    KeyboardInterrupt
        If the work could not end in good order but was given up.
    """
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
            try:
                result = work(on_progress=show, on_notice=terminal.notice, stop=stop.is_set)
            except Cancelled as error:
                raise KeyboardInterrupt from error
    return result, stop.is_set()


def for_a_program(work: Work[Result], describe: Callable[[Result], Mapping[str, Any]]) -> Result:
    """Work; stdout gets nothing but lines of JSON, and the end of stdin stops.

    Parameters
    ----------
    work : callable
        What to do.
    describe : callable
        Makes the last line's fields of what came of it; ``stopped`` is added.
    """
    stop, stdout = Event(), sys.stdout

    def say(**content: Any) -> None:
        try:
            print(json.dumps(content), file=stdout, flush=True)
        except OSError:  # who listened is gone: the work still ends in good order
            stop.set()

    def listen() -> None:
        sys.stdin.read()
        stop.set()

    Thread(target=listen, daemon=True).start()
    with redirect_stdout(sys.stderr):
        result = work(
            on_progress=lambda report: say(progress=asdict(report)),
            on_notice=lambda line: say(notice=line),
            stop=stop.is_set,
        )
    say(**describe(result), stopped=stop.is_set())
    return result


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
