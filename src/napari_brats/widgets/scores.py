"""The Scores widget: every number of a mask, by three generations of rules, lesion by lesion."""

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_brats.widgets.docking import share_place
from napari_brats.widgets.score_control import ScoreControl
from napari_brats.widgets.score_panel import ScorePanel
from napari_brats.widgets.scrolling import let_scroll

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent


class ScoresWidget(QWidget):
    """A dock beside one's work; nothing is computed before *Score* is clicked.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        napari gives it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.panel = ScorePanel()
        self.control = ScoreControl(napari_viewer, self.panel)
        let_scroll(self, self.panel)
        self.destroyed.connect(self.control.close)
        self._placed = False

    def showEvent(self, event: "QShowEvent | None") -> None:
        """Follow the layers from now on; the first time, take a place beside the other docks."""
        super().showEvent(event)
        self.control.wake()
        if not self._placed:
            self._placed = True
            # A dock that moves while it is being shown takes the process down.
            QTimer.singleShot(0, lambda: share_place(self))

    def hideEvent(self, event: "QHideEvent | None") -> None:
        """Follow them no longer."""
        super().hideEvent(event)
        self.control.rest()
