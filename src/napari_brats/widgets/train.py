"""The Train widget: settings, live curves, stop and resume."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.training.curves import LOG_FOLDER, read_log
from napari_brats.training.resume import STATE_NAME
from napari_brats.widgets.curves_view import CurvesView
from napari_brats.widgets.docking import when_closed
from napari_brats.widgets.pace import duration
from napari_brats.widgets.scrolling import let_scroll
from napari_brats.widgets.train_form import TrainForm
from napari_brats.widgets.train_process import TrainProcess


class TrainWidget(QWidget):
    """Train a network beside one's work: it runs in a process of its own.

    Closing the widget ends the training in good order; it can be resumed from its folder.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = TrainForm()
        self.process = TrainProcess(self)
        self.start = _button("Start", "Train with these settings")
        self.stop = _button("Stop", "Write the state after this step and end; Resume goes on")
        self.resume = _button("Resume", "Go on with the training in the output folder")
        self.more = _button("More settings", "Show or hide the settings with good defaults")
        self.more.setCheckable(True)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Progress of the training")
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("State of the training")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.curves = CurvesView(self)
        self._lay_out()
        self._connect()
        self._show_state()

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.addWidget(self.form.first.native)
        column.addWidget(self.more)
        column.addWidget(self.form.more.native)
        self.form.more.native.hide()
        row = QHBoxLayout()
        for button in (self.start, self.stop, self.resume):
            row.addWidget(button)
        column.addLayout(row)
        for widget in (self.bar, self.words, self.curves):
            column.addWidget(widget)
        column.addStretch()
        let_scroll(self, inside)

    def _connect(self) -> None:
        self.start.clicked.connect(lambda: self._begin(self.form.flags()))
        self.resume.clicked.connect(self._go_on)
        self.stop.clicked.connect(self._stop)
        self.more.toggled.connect(self.form.more.native.setVisible)
        self.form["output"].changed.connect(lambda *_: self._show_state())
        self.process.reported.connect(self._report)
        self.process.noticed.connect(self.words.setText)
        self.process.ended.connect(self._ended)
        self.process.failed.connect(self._failed)
        when_closed(self, self.process.stop)

    def _begin(self, flags: list[str]) -> None:
        self.curves.clear()
        self.bar.setValue(0)
        self.words.setText("preparing")
        self.process.start(flags)
        self._show_state()

    def _go_on(self) -> None:
        folder = self.form.output()
        self._begin(["--resume", "--output", str(folder)])
        self.curves.clear(read_log(folder / LOG_FOLDER))

    def _stop(self) -> None:
        self.process.stop()
        self.words.setText("stopping after this step")
        self.stop.setEnabled(False)

    def _report(self, progress: dict[str, Any]) -> None:
        step, fraction = progress["step"], progress["fraction"]
        self.bar.setValue(round(1000 * fraction))
        left = progress["seconds"] / max(fraction, 1e-6) * (1 - fraction)
        text = f"step {step}, loss {progress['loss']:.3f}, {duration(left)} left"
        if progress["waiting"] > 0.1:
            text += f"; waits {progress['waiting']:.0%} of the time for samples: add workers"
        self.words.setText(text)
        self.curves.add(progress)

    def _ended(self, result: dict[str, Any]) -> None:
        state = "stopped; Resume goes on" if result["stopped"] else "done"
        self.words.setText(f"{state}. Weights: {result['weights']}")
        self._show_state()

    def _failed(self, reason: str) -> None:
        self.words.setText(reason)
        self._show_state()

    def _show_state(self) -> None:
        running = self.process.running()
        self.start.setEnabled(not running)
        self.stop.setEnabled(running)
        self.resume.setEnabled(not running and _has_state(self.form.output()))
        self.form.first.enabled = self.form.more.enabled = not running
        self.bar.setVisible(running)


def _has_state(folder: Path) -> bool:
    return (folder / STATE_NAME).is_file()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
