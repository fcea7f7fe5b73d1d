"""Docks higher than the window scroll up and down, never sideways."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget


def let_scroll(dock: QWidget, content: QWidget) -> QScrollArea:
    """Fill a dock with its content, which scrolls where it is higher than the dock."""
    area = QScrollArea(dock)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(content)
    layout = QVBoxLayout(dock)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)
    return area
