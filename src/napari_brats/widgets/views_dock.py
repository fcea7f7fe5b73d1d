"""The dock between the main canvas and the Segment dock that holds the further canvases."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QSplitter, QVBoxLayout, QWidget

from napari_brats.widgets.background import soon
from napari_brats.widgets.centering import unwrapped
from napari_brats.widgets.docking import around, when_closed

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

NAME = "BraTS views"
_SHARE = 0.42


class ViewsDock(QWidget):
    """Canvases below one another, or side by side where the dock is wider than high.

    Parameters
    ----------
    on_closed : callable
        Called when a person closes the dock.
    """

    def __init__(self, on_closed: Callable[[], None]) -> None:
        super().__init__()
        self._on_closed = on_closed
        self._dock: Any = None
        self._window: Any = None
        self._beside: Any = None
        self._wanted: dict[Any, int] = {}
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.splitter)
        when_closed(self, lambda: soon(self._look))

    def open_beside(self, viewer: Any, neighbor: QWidget) -> None:
        """Dock into a viewer's window, to the left of a dock on its right side."""
        self._window = viewer.window
        self._dock = unwrapped(
            viewer.window.add_dock_widget(self, name=NAME, area="right", add_vertical_stretch=False)
        )
        main, beside = around(self._dock, QMainWindow), around(neighbor, QDockWidget)
        if main is None:
            return
        center = main.centralWidget()
        room = main.width() if center is None else center.width()
        docks, sizes = [self._dock], [round(room * _SHARE)]
        if beside is not None and not beside.isFloating():
            width = beside.width()
            main.splitDockWidget(self._dock, beside, Qt.Orientation.Horizontal)
            docks, sizes = [*docks, beside], [*sizes, width]
            self._beside = beside
        self._wanted = dict(zip(docks, sizes, strict=True))
        soon(self._share_out)  # a dock that is not laid out yet takes no size

    def add(self, canvas: QWidget, place: int) -> None:
        """Add a canvas at a place of the row; all get the same room."""
        self.splitter.insertWidget(place, canvas)
        self.splitter.setSizes([1000] * self.splitter.count())

    def close_dock(self) -> None:
        """Take the dock away; its room goes to the main canvas."""
        window, dock, self._dock = self._window, self._dock, None
        main = around(self, QMainWindow)
        if dock is not None and main is not None:
            width = 0 if self._beside is None else self._beside.width()
            window.remove_dock_widget(dock)
            if width and around(self._beside, QMainWindow) is main:
                main.resizeDocks([self._beside], [width], Qt.Orientation.Horizontal)
        self._beside = None
        self.deleteLater()

    def resizeEvent(self, event: "QResizeEvent | None") -> None:
        """Turn the row of canvases with the dock."""
        super().resizeEvent(event)
        wide = self.width() > 1.5 * self.height()
        way = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != way:
            self.splitter.setOrientation(way)

    def _share_out(self) -> None:
        main = around(self, QMainWindow)
        if main is not None:
            docks, sizes = list(self._wanted), list(self._wanted.values())
            main.resizeDocks(docks, sizes, Qt.Orientation.Horizontal)

    def _look(self) -> None:
        if self._dock is not None and around(self, QMainWindow) is None:
            self._dock = None
            self._on_closed()
