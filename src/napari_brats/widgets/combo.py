"""A menu that a wheel only changes while it has the focus."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QWheelEvent


class Combo(QComboBox):
    """Narrow, and deaf to a wheel that only passes while the dock scrolls.

    Parameters
    ----------
    name : str
        For screen readers.
    tip : str
        The tooltip.
    """

    opening = Signal()
    """The person is about to see the entries."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def showPopup(self) -> None:
        """Let the entries be brought up to date before they are shown."""
        self.opening.emit()
        super().showPopup()

    def wheelEvent(self, event: "QWheelEvent | None") -> None:
        """Leave the wheel to the dock unless this menu was chosen before."""
        if self.hasFocus():
            super().wheelEvent(event)
        elif event is not None:
            event.ignore()
