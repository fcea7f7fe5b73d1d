"""Turn a long call that reports through ``on_step`` into a generator that can be closed."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from napari_brats.errors import Cancelled

Result = TypeVar("Result")
OnStep = Callable[[int, int], None]
OnNotice = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """``done`` of ``total`` windows are finished."""

    done: int
    total: int


@dataclass(frozen=True)
class Notice:
    """A sentence that the person should read while the work goes on."""

    text: str


@dataclass(frozen=True)
class _End(Generic[Result]):
    result: Result | None = None
    error: BaseException | None = None


def stepping(
    call: Callable[[OnStep, OnNotice], Result], stop: Event
) -> Generator[Step | Notice, None, Result]:
    """Run a call in a thread of its own and yield each report as it comes.

    Setting ``stop`` raises `Cancelled` inside the call at its next step. Closing the
    generator does the same, and waits until the call has ended and freed what it held.

    Parameters
    ----------
    call : callable
        Takes ``on_step(done, total)`` and ``on_notice(text)``.
    stop : threading.Event
        Asks the call to stop.

    Yields
    ------
    Step or Notice

    Returns
    -------
    Result
        What the call returned.

    Raises
    ------
    Exception
        Whatever the call raised.
    """
    reports: SimpleQueue[Step | Notice | _End[Result]] = SimpleQueue()
    closed = Event()

    def on_step(done: int, total: int) -> None:
        if stop.is_set() or closed.is_set():
            raise Cancelled("stopped; nothing was written")
        reports.put(Step(done, total))

    def on_notice(text: str) -> None:
        reports.put(Notice(text))

    def work() -> None:
        try:
            reports.put(_End(result=call(on_step, on_notice)))
        except BaseException as error:
            reports.put(_End(error=error))

    thread = Thread(target=work, name="napari-brats", daemon=True)
    thread.start()
    try:
        while True:
            report = reports.get()
            if not isinstance(report, _End):
                yield report
            elif report.error is not None:
                raise report.error
            else:
                return report.result  # type: ignore[return-value]
    finally:
        closed.set()
        thread.join()
