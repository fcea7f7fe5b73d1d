"""Offer unsaved edits that were found, and tell of another window on the same case."""

from collections.abc import Callable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

Confirm = Callable[[str], bool]


class RecoveryPanel(QFrame):
    """Stays out of sight until there is something to say; it never holds anything up.

    Attributes
    ----------
    recover_asked, discard_asked : Signal()
        What the person wants to happen to the edits on offer.
    """

    recover_asked = Signal()
    discard_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # napari's themes draw no frames; this color stands out in the light and the dark one.
        self.setStyleSheet("RecoveryPanel { border-left: 4px solid #e69f00; }")
        self.notice = QLabel(self)
        self.notice.setAccessibleName("Another window on this case")
        self.words = QLabel(self)
        self.words.setAccessibleName("Unsaved edits that were found")
        for label in (self.notice, self.words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.recover = QPushButton("Recover", self)
        self.recover.setToolTip("Show these edits, still unsaved; undo takes them back")
        self.recover.setAccessibleName("Recover the unsaved edits")
        self.discard = QPushButton("Discard...", self)
        self.discard.setToolTip("Delete these edits, after one more question")
        self.discard.setAccessibleName("Discard the unsaved edits")
        buttons = QHBoxLayout()
        for button in (self.recover, self.discard):
            buttons.addWidget(button, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.notice)
        layout.addWidget(self.words)
        layout.addLayout(buttons)
        self.recover.clicked.connect(lambda: self.recover_asked.emit())
        self.discard.clicked.connect(lambda: self.discard_asked.emit())
        self.show_offer("")
        self.show_notice("")

    def show_offer(self, words: str) -> None:
        """Offer edits, described in words; none if there are no words."""
        self.words.setText(words)
        for part in (self.words, self.recover, self.discard):
            part.setVisible(bool(words))
        self._show_if_needed()

    def show_notice(self, words: str) -> None:
        """Tell of another window; nothing if there are no words."""
        self.notice.setText(words)
        self.notice.setVisible(bool(words))
        self._show_if_needed()

    def _show_if_needed(self) -> None:
        self.setVisible(bool(self.words.text() or self.notice.text()))


def confirm_person(parent: QWidget) -> Confirm:
    """Return a yes-or-no question in a dialog, No being the answer of a hasty Enter."""

    def confirm(question: str) -> bool:
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            parent, "Discard unsaved edits", question, buttons.Yes | buttons.No, buttons.No
        )
        return answer == buttons.Yes

    return confirm
