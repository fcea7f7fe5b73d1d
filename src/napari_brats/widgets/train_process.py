"""A training in a process of its own: it neither slows the window nor dies with its errors."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QCoreApplication, QObject, QProcess, Signal


class _Program(QProcess):
    """A program that ends in good order when who started it is gone.

    It belongs to the application: a QProcess that is destroyed kills its program.
    """

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())

    def let_end(self) -> None:
        """Ask the program to write its state and to end, and go with it."""
        self.finished.connect(self.deleteLater)
        if self.state() == QProcess.ProcessState.NotRunning:
            self.deleteLater()
        else:
            self.closeWriteChannel()


class TrainProcess(QObject):
    """Runs ``napari-brats train --events``, or ``adapt``, and passes on what it says.

    Destroyed while the program runs, as with its dock, it lets it end in good order.

    Attributes
    ----------
    reported : Signal(dict)
        The fields of a `Progress`.
    noticed : Signal(str)
        One line for people.
    ended : Signal(dict)
        The last line: what came of it, and whether it was ``stopped``.
    failed : Signal(str)
        Why it failed, in one line.
    """

    reported = Signal(dict)
    noticed = Signal(str)
    ended = Signal(dict)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = _Program()
        self.destroyed.connect(self._process.let_end)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.errorOccurred.connect(self._not_started)
        self._process.finished.connect(self._finished)
        self._errors = ""
        self._result: dict[str, Any] = {}

    def start(self, flags: Sequence[str], command: str = "train") -> None:
        """Start a command of ``napari-brats`` that has ``--events``, with its flags."""
        self.run([sys.executable, "-m", "napari_brats", command, "--events", *flags])

    def run(self, command: Sequence[str]) -> None:
        """Start any program that speaks as ``train --events`` does."""
        self._errors, self._result = "", {}
        self._process.start(command[0], list(command[1:]))

    def running(self) -> bool:
        """Return whether a training goes on."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def stop(self) -> None:
        """Ask it to write its state after the step at hand and to end."""
        self._process.closeWriteChannel()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""
        return not self.running() or self._process.waitForFinished(int(seconds * 1000))

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode("utf-8", "replace")
            content = json.loads(line)
            if "progress" in content:
                self.reported.emit(content["progress"])
            elif "notice" in content:
                self.noticed.emit(content["notice"])
            else:
                self._result = content

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._errors = (self._errors + text)[-4000:]

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.failed.emit(f"the training could not be started: {self._process.errorString()}")

    def _finished(self) -> None:
        self._read()
        self._read_errors()
        if self._result:
            self.ended.emit(self._result)
            return
        lines = [line for line in self._errors.splitlines() if line.strip()]
        last = lines[-1].removeprefix("napari-brats: ") if lines else "it said nothing"
        self.failed.emit(last)
