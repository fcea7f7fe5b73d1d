"""A panel of the dock that shows its title alone until a person opens it."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget


class FoldingPanel(QWidget):
    """A title that folds and unfolds what is below it; folded at first.

    Parameters
    ----------
    title, tip : str
        Of the head.
    parent : QWidget, optional
        As of any widget.

    Attributes
    ----------
    head : QToolButton
        Checked while the panel is open.
    body : QWidget
        What subclasses lay out.
    """

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = QToolButton(self)
        self.head.setText(title)
        self.head.setToolTip(tip)
        self.head.setAccessibleName(title)
        self.head.setCheckable(True)
        self.head.setAutoRaise(True)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget(self)
        self.body.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.head)
        layout.addWidget(self.body)
        self.head.toggled.connect(self._fold)

    def _fold(self, open_: bool) -> None:
        self.body.setVisible(open_)
        self.head.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
