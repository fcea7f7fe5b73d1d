"""Run a generator in napari's thread pool, with its progress in the activity dock."""

import atexit
from collections.abc import Callable, Generator
from contextlib import suppress
from threading import Event
from typing import Any, TypeVar

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QThreadPool, QTimer

from napari_brats.errors import BratsError, Cancelled

Result = TypeVar("Result")

PATIENCE_MS = 10_000
"""How long a program that ends waits for masks being saved and work that is stopping."""


class _ClosingWorker(GeneratorWorker):  # type: ignore[misc]  # napari ships no types
    """A worker that closes its generator in its own thread, however it ends.

    Otherwise an aborted generator is closed by whoever drops it last, and waiting for its
    thread would freeze the window. It keeps no other from starting: Qt runs as many as there
    are cores, and a mask cannot wait to be saved until two long runs have ended.
    """

    def work(self) -> Any:
        pool = QThreadPool.globalInstance()
        assert pool is not None
        pool.releaseThread()
        try:
            return super().work()
        finally:
            self._gen.close()
            pool.reserveThread()


class Task:
    """Work that is going on; every callback runs in the window's thread.

    Parameters
    ----------
    work : callable
        Takes the event that asks it to stop, and makes a generator.
    title : str
        Shown in the activity dock, and by napari when it is closed meanwhile.
    on_report : callable
        Takes what the generator yields.
    on_result : callable
        Takes what it returns.
    on_end : callable
        Called last in any case, after the work has freed what it held.
    in_dock : bool
        Whether napari's activity dock shows its progress.
    """

    def __init__(
        self,
        work: Callable[[Event], Generator[Any, None, Result]],
        title: str,
        *,
        on_report: Callable[[Any], None],
        on_result: Callable[[Result], None],
        on_end: Callable[[], None],
        in_dock: bool = False,
    ) -> None:
        self._stop = Event()
        self._callbacks: tuple[Callable[[Any], None], Callable[[Any], None], Callable[[], None]] = (
            on_report,
            on_result,
            on_end,
        )
        self._listening = True

        # The worker outlives its run, what it worked on must not.
        pending = [work]

        def body() -> Generator[Any, None, Result]:
            return (yield from pending.pop()(self._stop))

        body.__qualname__ = title
        self.worker = create_worker(
            body,
            _start_thread=False,
            _ignore_errors=True,
            _progress={"desc": title, "total": 0} if in_dock else None,
            _worker_class=_ClosingWorker,
        )
        # napari's own reaction would show a cancel and a person's mistake as bugs.
        with suppress(TypeError, RuntimeError):  # without a window there is none
            self.worker.errored.disconnect()
        self.worker.yielded.connect(self._reported)
        self.worker.returned.connect(self._returned)
        self.worker.errored.connect(self._failed)
        self.worker.finished.connect(self._ended)
        self.worker.start()

    def report_to(
        self,
        on_report: Callable[[Any], None],
        on_result: Callable[[Any], None],
        on_end: Callable[[], None],
    ) -> None:
        """Change who is told what."""
        self._callbacks = (on_report, on_result, on_end)

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._stop.set()
        self.worker.quit()

    def forget(self) -> None:
        """Stop the work and tell nobody: whoever listened is gone."""
        self.finish_unheard()
        self.cancel()

    def finish_unheard(self) -> None:
        """Let the work go on to its end, but tell nobody."""
        self._listening = False

    def show_progress(self, done: int, total: int) -> None:
        """Move the bar in the activity dock."""
        bar = self.worker.pbar
        if bar.total != total:
            bar.total = total
        bar.update(done - bar.n)

    def _reported(self, report: Any) -> None:
        if self._listening:
            self._callbacks[0](report)

    def _returned(self, result: Any) -> None:
        if self._listening:
            self._callbacks[1](result)

    def _failed(self, error: Exception) -> None:
        if self._listening and not isinstance(error, Cancelled):
            notify_error(error)

    def _ended(self) -> None:
        if self._listening:
            self._callbacks[2]()
        self.report_to(_nobody, _nobody, _nobody)


@atexit.register
def _wait_for_threads() -> None:
    """Let what goes on end before Qt does: a thread that tells of it later aborts the program.

    napari does so when its event loop ends, which that of a script may never have begun.
    """
    pool = QThreadPool.globalInstance()
    if pool is not None:
        pool.waitForDone(PATIENCE_MS)


def _nobody(*_: object) -> None:
    """Hear no report: the work has ended."""


def notify_error(error: Exception) -> None:
    """Show a person's mistake as a line, and a bug with its traceback."""
    from napari.utils.notifications import notification_manager, show_error

    if isinstance(error, BratsError):
        show_error(str(error))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


def soon(function: Callable[[], None]) -> None:
    """Run a function in the next turn of the event loop."""
    QTimer.singleShot(0, function)
