"""Compute beside the event loop, one thing at a time, and only what was asked for last."""

import contextlib
from collections.abc import Callable
from threading import Thread
from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_brats.widgets.background import notify_error

Job = Callable[[], Any]
Prepare = Callable[[], Job | None]


class Latest(QObject):
    """Answers the newest question; those before it are forgotten.

    Questions come as often as strokes do. One thread at a time works on one of them, and the
    next begins at most once in ``delay_ms``. napari's own workers would be listed in the
    window each time.

    Parameters
    ----------
    on_result : callable
        Takes what a job returned, in the window's thread.
    delay_ms : int
        How long to wait before a question is looked at.
    parent : QObject, optional
        Owner.
    """

    _ended = Signal(int, object, object)

    def __init__(
        self, on_result: Callable[[Any], None], delay_ms: int = 300, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._on_result = on_result
        self._waiting: Prepare | None = None
        self._working = False
        self._number = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(self._start)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def idle(self) -> bool:
        """Whether nothing is asked and nothing is being computed."""
        return self._waiting is None and not self._working

    def ask(self, prepare: Prepare) -> None:
        """Ask a question.

        Parameters
        ----------
        prepare : callable
            Called in the window's thread when it is the question's turn: takes the copies
            that are needed and returns the job for the thread, or None for no job.
        """
        self._waiting = prepare
        if not self._working and not self._timer.isActive():
            self._timer.start()

    def forget(self) -> None:
        """Drop the question, and the answer to the one at work."""
        self._waiting = None
        self._number += 1
        with contextlib.suppress(RuntimeError):  # Qt may have deleted it with its parent
            self._timer.stop()

    def _start(self) -> None:
        prepare, self._waiting = self._waiting, None
        job = None if prepare is None else prepare()
        if job is None:
            return
        self._working = True
        Thread(
            target=self._work, args=(self._number, job), name="napari-brats", daemon=True
        ).start()

    def _work(self, number: int, job: Job) -> None:
        result: Any = None
        error: Exception | None = None
        try:
            result = job()
        except Exception as raised:  # a bug here must be seen, and later questions answered
            error = raised
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._ended.emit(number, result, error)

    def _on_ended(self, number: int, result: Any, error: Exception | None) -> None:
        self._working = False
        if self._waiting is not None:
            self._timer.start()
        if number != self._number:
            return
        if error is not None:
            notify_error(error)
        else:
            self._on_result(result)
