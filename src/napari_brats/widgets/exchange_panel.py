"""Masks from other programs and for other programs. Folded at first."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget


class ExchangePanel(QWidget):
    """Take in masks, write label names.

    Attributes
    ----------
    intake_asked, names_asked : Signal()
        A button was pressed.
    """

    intake_asked = Signal()
    names_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = QToolButton(self)
        self.head.setText("Other programs")
        self.head.setToolTip(
            "Masks of nnInteractive, nnU-Net and others; names for ITK-SNAP, Slicer"
        )
        self.head.setAccessibleName("Other programs")
        self.head.setCheckable(True)
        self.head.setAutoRaise(True)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget(self)
        self.intake = QPushButton("Take in masks...", self)
        self.intake.setToolTip("Make a mask out of other labels layers; you say what labels mean")
        self.intake.setAccessibleName("Take in masks of other programs")
        self.names = QPushButton("Write label names", self)
        self.names.setToolTip("Names and colors for ITK-SNAP (.label) and 3D Slicer (.ctbl)")
        self.names.setAccessibleName("Write label names beside the mask")
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setAccessibleName("What was taken in or written")
        self.words.hide()
        buttons = QHBoxLayout()
        for button in (self.intake, self.names):
            buttons.addWidget(button, 1)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(buttons)
        inner.addWidget(self.words)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.head)
        layout.addWidget(self.body)
        self.body.hide()
        self.head.toggled.connect(self._fold)
        self.intake.clicked.connect(lambda: self.intake_asked.emit())
        self.names.clicked.connect(lambda: self.names_asked.emit())

    def say(self, text: str) -> None:
        """Tell what was done, or why not."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

    def _fold(self, open_: bool) -> None:
        self.body.setVisible(open_)
        self.head.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
