"""How far a case is, in whose name, with notes; and on to the next one."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.states import State
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.folding import FoldingPanel

_NOTE_LINES = 2.6


class ReviewPanel(FoldingPanel):
    """State, reader, notes, time spent, Mark, previous and next case. Folded at first.

    Attributes
    ----------
    mark_asked : Signal()
        The case is to be marked as the panel says.
    reader_named : Signal(str)
        Another reader's name was typed.
    step_asked : Signal(int)
        1 for the next case of the list, -1 for the one before.
    """

    mark_asked = Signal()
    reader_named = Signal(str)
    step_asked = Signal(int)

    def __init__(self, reader: str, parent: QWidget | None = None) -> None:
        super().__init__(
            "Review",
            "Say how far this case is, and go on to the next",
            parent,
        )
        self.states = Combo("State of the case", "How far the review of this case is", self)
        for state in State:
            self.states.addItem(state, state)
        self.reader = QLineEdit(reader, self)
        self.reader.setPlaceholderText("your name")
        self.reader.setAccessibleName("Reader")
        self.reader.setToolTip("Kept with your marks and decisions, and remembered")
        self.notes = QPlainTextEdit(self)
        self.notes.setPlaceholderText("notes")
        self.notes.setAccessibleName("Notes")
        self.notes.setToolTip("Notes on this case; Mark keeps them")
        self.notes.setTabChangesFocus(True)
        # napari's themes draw no frame; this gray stands out in the light and the dark one.
        self.notes.setStyleSheet("QPlainTextEdit { border: 1px solid #808080; }")
        self.notes.setFixedHeight(int(self.fontMetrics().lineSpacing() * _NOTE_LINES) + 12)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setAccessibleName("How the case stands")
        self.mark = _button("Mark", "Write state, notes and time down, in your name", self)
        self.before = _button("Previous case", "Open the case before in the list", self)
        self.after = _button("Next case", "Open the next case of the list", self)
        self._lay_out()
        self.reader.editingFinished.connect(
            lambda: self.reader_named.emit(self.reader.text().strip())
        )
        self.mark.clicked.connect(lambda: self.mark_asked.emit())
        self.before.clicked.connect(lambda: self.step_asked.emit(-1))
        self.after.clicked.connect(lambda: self.step_asked.emit(1))

    def state(self) -> State:
        """Return the chosen state."""
        return State(self.states.currentData())

    def show_state(self, state: State) -> None:
        """Choose a state."""
        self.states.setCurrentIndex(self.states.findData(state))

    def say(self, text: str) -> None:
        """Tell how the case stands."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

    def show_steps(self, *, before: bool, after: bool, case: bool) -> None:
        """Let be pressed what makes sense: a case to mark, one before it, one after it."""
        self.before.setEnabled(before)
        self.after.setEnabled(after)
        self.mark.setEnabled(case)

    def _lay_out(self) -> None:
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(captioned("State", self.states, self.mark))
        inner.addLayout(captioned("Reader", self.reader))
        inner.addWidget(self.notes)
        inner.addWidget(self.words)
        steps = QHBoxLayout()
        for button in (self.before, self.after):
            steps.addWidget(button, 1)
        inner.addLayout(steps)


def _button(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    button.setAccessibleName(f"{text}: {tip}")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
