"""Live curves of a training, in the colors of the window."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_brats.regions import REGIONS
from napari_brats.training.curves import plot_curves

_ROLES = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window)
_TEXT_SETTINGS = (
    "axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color",
)  # fmt: skip
_BACK_SETTINGS = ("axes.facecolor", "figure.facecolor")


class CurvesView(QWidget):
    """Loss and Dice by step; hidden while there is nothing to show.

    Parameters
    ----------
    height : int
        Pixels.
    dice : bool
        Whether there are held-out patients to show the Dice of.
    """

    def __init__(
        self, parent: QWidget | None = None, *, height: int = 320, dice: bool = True
    ) -> None:
        super().__init__(parent)
        self._dice = dice
        self.figure = Figure(figsize=(3.4, height / 76), layout="constrained")
        self.canvas: Any = FigureCanvasQTAgg(self.figure)  # type: ignore[no-untyped-call]
        self.canvas.setMinimumHeight(height)
        self._points: dict[str, list[tuple[float, float]]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self.hide()

    def clear(self, curves: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Forget all points, and begin with those of a log if one is given."""
        self._points = {
            name: [(float(step), float(value)) for step, value in curve]
            for name, curve in (curves or {}).items()
        }
        self._draw()

    def add(self, progress: Mapping[str, Any]) -> None:
        """Add the points of one report, the fields of a `Progress`."""
        step = progress["step"]
        if not np.isnan(progress["loss"]):
            self._points.setdefault("loss", []).append((step, progress["loss"]))
        for name, score in zip(REGIONS, progress["holdout_dice"] or (), strict=False):
            self._points.setdefault(f"dice_{name}", []).append((step, score))
        self._draw()

    def changeEvent(self, event: QEvent | None) -> None:
        """Take the colors of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange and self._points:
            self._draw()

    def _draw(self) -> None:
        curves = {name: np.array(points) for name, points in self._points.items() if points}
        self.setVisible(bool(curves))
        # The canvas is a window's part: its text has the window's color, in any theme.
        text, back = (self.palette().color(role).name() for role in _ROLES)
        settings: Any = dict.fromkeys(_TEXT_SETTINGS, text) | dict.fromkeys(_BACK_SETTINGS, back)
        with rc_context(settings):
            self.figure.set_facecolor(back)
            plot_curves(self.figure, curves, stacked=True, dice=self._dice)
        self.canvas.draw_idle()
