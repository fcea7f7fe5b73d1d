"""The Train widget: settings, live curves, stop and resume."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_brats.regions import REGIONS
from napari_brats.training.curves import LOG_FOLDER, plot_curves, read_log
from napari_brats.training.resume import STATE_NAME
from napari_brats.widgets.pace import duration
from napari_brats.widgets.train_form import TrainForm
from napari_brats.widgets.train_process import TrainProcess

_ROLES = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window)
_TEXT_SETTINGS = (
    "axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color",
)  # fmt: skip
_BACK_SETTINGS = ("axes.facecolor", "figure.facecolor")


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
        self.figure = Figure(figsize=(3.4, 4.2), layout="constrained")
        self.canvas: Any = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        self.canvas.setMinimumHeight(320)
        self._points: dict[str, list[tuple[float, float]]] = {}
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
        for widget in (self.bar, self.words, self.canvas):
            column.addWidget(widget)
        column.addStretch()
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.canvas.hide()

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
        self.destroyed.connect(self.process.stop)

    def _begin(self, flags: list[str]) -> None:
        self._points = {}
        self.bar.setValue(0)
        self.words.setText("preparing")
        self.process.start(flags)
        self._show_state()

    def _go_on(self) -> None:
        folder = self.form.output()
        self._begin(["--resume", "--output", str(folder)])
        for name, curve in read_log(folder / LOG_FOLDER).items():
            self._points[name] = [(float(step), float(value)) for step, value in curve]
        self._draw()

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
        if not np.isnan(progress["loss"]):
            self._points.setdefault("loss", []).append((step, progress["loss"]))
        for name, score in zip(REGIONS, progress["holdout_dice"] or (), strict=False):
            self._points.setdefault(f"dice_{name}", []).append((step, score))
        self._draw()

    def _draw(self) -> None:
        curves = {name: np.array(points) for name, points in self._points.items() if points}
        self.canvas.setVisible(bool(curves))
        # The canvas is a window's part: its text has the window's color, in any theme.
        text, back = (self.palette().color(role).name() for role in _ROLES)
        settings: Any = dict.fromkeys(_TEXT_SETTINGS, text) | dict.fromkeys(_BACK_SETTINGS, back)
        with rc_context(settings):
            self.figure.set_facecolor(back)
            plot_curves(self.figure, curves, stacked=True)
        self.canvas.draw_idle()

    def _ended(self, weights: str, stopped: bool) -> None:
        state = "stopped; Resume goes on" if stopped else "done"
        self.words.setText(f"{state}. Weights: {weights}")
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
