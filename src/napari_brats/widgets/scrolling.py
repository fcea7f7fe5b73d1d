"""Docks higher than the window scroll up and down, never sideways."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget


def let_scroll(dock: QWidget, content: QWidget) -> QScrollArea:
    """Fill a dock with its content, which scrolls where it is higher than the dock.

    A path in its sentences is a word that may be longer than the dock is wide: it is cut off
    rather than that it pushes the buttons out of sight.
    """
    for label in content.findChildren(QLabel):
        if label.wordWrap():
            policy = label.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
            label.setSizePolicy(policy)
    area = QScrollArea(dock)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(content)
    layout = QVBoxLayout(dock)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)
    return area
