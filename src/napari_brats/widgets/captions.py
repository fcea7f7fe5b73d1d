"""Captions to the left of the panels' first rows, all of one width."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLayout, QSizePolicy, QWidget

_WIDEST = "Patient "


class Caption(QLabel):
    """A label as wide as the widest caption, in whatever font the theme gives."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """Return the common width."""
        margins = 2 * (self.margin() + self.frameWidth()) + 4
        width = self.fontMetrics().horizontalAdvance(_WIDEST) + margins
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the common width, which is never squeezed."""
        return self.sizeHint()


def captioned(text: str, *widgets: QWidget) -> QLayout:
    """Return a row: a caption, then widgets of which the first takes the room.

    Parameters
    ----------
    text : str
        The caption; it names the first widget for screen readers and gets its focus.
    *widgets : QWidget
        From left to right.
    """
    caption = Caption(text)
    caption.setBuddy(widgets[0])
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(caption)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 0 if place else 1)
    return row
