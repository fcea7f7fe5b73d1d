"""Where a widget is docked, and how docks share the room."""

from collections.abc import Callable
from typing import TypeVar

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

W = TypeVar("W", bound=QWidget)


def around(widget: QWidget, kind: type[W]) -> W | None:
    """Return the nearest widget of a kind around another; floating docks have their window."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, kind):
        parent = parent.parentWidget()
    return parent


def when_closed(widget: QWidget, function: Callable[[], None]) -> None:
    """Call a function when the dock around a widget is closed for good, not only hidden.

    napari then keeps the widget, without a parent, until Python collects it: at once, in an
    hour or never.
    """
    widget.installEventFilter(_Orphaned(widget, function))


class _Orphaned(QObject):
    """Notices that a widget has lost its parent."""

    def __init__(self, widget: QWidget, function: Callable[[], None]) -> None:
        super().__init__(widget)
        self._function = function

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let every event pass."""
        lost = event is not None and event.type() == QEvent.Type.ParentChange
        if lost and isinstance(watched, QWidget) and watched.parentWidget() is None:
            self._function()
        return False


def share_place(widget: QWidget) -> None:
    """Make the dock around a widget a tab of the outermost dock on the right, and show it.

    napari stacks docks, which leaves each too low to work in.
    """
    dock, window = around(widget, QDockWidget), around(widget, QMainWindow)
    right = Qt.DockWidgetArea.RightDockWidgetArea
    if dock is None or window is None or dock.isFloating() or window.dockWidgetArea(dock) != right:
        return
    others = [
        other
        for other in window.findChildren(QDockWidget)
        if other is not dock
        and other.isVisible()
        and not other.isFloating()
        and window.dockWidgetArea(other) == right
    ]
    if others and not window.tabifiedDockWidgets(dock):
        window.tabifyDockWidget(max(others, key=lambda other: other.geometry().x()), dock)
        dock.raise_()
