"""What to do with a cohort: its folder, the chosen patient, who reads, and the run."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.states import State
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.review_file import reader_name
from napari_brats.widgets.scrolling import let_scroll
from napari_brats.widgets.typed_path import typed_path
from napari_brats.workflows.review_list import Item

WIDTH = 330


class CohortPanel(QWidget):
    """Buttons and words beside the table.

    Attributes
    ----------
    folder_entered : Signal(str)
        Another output folder was given.
    marked : Signal(object)
        The open patient's review is at this `State` now.
    """

    folder_entered = Signal(str)
    marked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = QLineEdit(self)
        self.path.setPlaceholderText("output folder of a cohort")
        self.path.setAccessibleName("Output folder of the cohort")
        self.browse = button("Browse", "Choose the output folder of napari-brats cohort")
        self.reader = QLineEdit(reader_name(), self)
        self.reader.setAccessibleName("Reader")
        self.reader.setToolTip("Your name: it is kept with your marks, and decides what is hidden")
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.about.setAccessibleName("Why the patient is where it is")
        self.before = button("Previous", "Open the patient above (Alt+Up)")
        self.next = button("Next", "Open the patient below (Alt+Down)")
        self.before.setShortcut("Alt+Up")
        self.next.setShortcut("Alt+Down")
        self.done = button("Done", "The saved mask that is chosen in the Segment dock is right")
        self.second = button("Second reader", "Hand the case on; your mask is hidden from them")
        self.rank = button("Rank", "Measure all masks and put those that need a look first")
        self.start = button("Run", "Segment the patients whose masks are missing")
        self.stop = button("Stop", "Stop after the patients at hand; what is done stays")
        self.source = QLineEdit(self)
        self.source.setPlaceholderText("folder or manifest of patients to segment")
        self.source.setAccessibleName("Patients of the run")
        self.models = QLineEdit(self)
        self.models.setPlaceholderText(f"{DEFAULT_MODEL}, ...")
        self.models.setToolTip("Models of the run, with commas between; a mask each")
        self.models.setAccessibleName("Models of the run")
        self.where = QLineEdit(self)
        self.where.setPlaceholderText("here, or a scheduler's address")
        self.where.setToolTip(
            "Empty: this computer. Else the address of a Dask scheduler that runs: tcp://host:8786"
        )
        self.where.setAccessibleName("Where the run computes")
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName("Progress")
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What goes on")
        self._lay_out()
        self.path.returnPressed.connect(self._enter)
        self.browse.clicked.connect(self._browse)
        self.done.clicked.connect(lambda: self.marked.emit(State.DONE))
        self.second.clicked.connect(lambda: self.marked.emit(State.SECOND_READER))
        self.show_item(None)
        self.show_progress(None)

    def asked(self) -> tuple[str, tuple[str, ...]]:
        """Return whom and with which models to segment."""
        models = tuple(filter(None, map(str.strip, self.models.text().split(","))))
        return typed_path(self.source.text()), models or (DEFAULT_MODEL,)

    def show_asked(self, source: str, models: Sequence[str]) -> None:
        """Show whom and with which models a folder was made."""
        self.source.setText(source)
        self.models.setText(", ".join(models))

    def show_state(self, *, folder: bool, busy: bool, patients: int) -> None:
        """Let only be pressed what can be done."""
        self.start.setEnabled(folder and not busy)
        self.rank.setEnabled(patients > 0 and not busy)
        self.stop.setEnabled(busy)
        for one in (self.before, self.next, self.done, self.second):
            one.setEnabled(patients > 0)

    def show_item(self, item: Item | None, blind: bool = False) -> None:
        """Say why a patient is where it is."""
        self.about.setText("" if item is None else about(item, blind))

    def show_progress(self, share: tuple[int, int] | None, words: str = "") -> None:
        """Show how far the work at hand is; None: there is none."""
        self.bar.setVisible(share is not None)
        if share is not None:
            self.bar.setRange(0, share[1])
            self.bar.setValue(share[0])
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def _enter(self) -> None:
        text = typed_path(self.path.text())
        if text:
            self.folder_entered.emit(text)

    def _browse(self) -> None:
        start = self.path.text() or str(Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Output folder of a cohort", start)
        if chosen:
            self.path.setText(chosen)
            self.folder_entered.emit(chosen)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 0, 6, 0)
        column.addLayout(captioned("Cohort", self.path, self.browse))
        column.addWidget(self.bar)
        column.addWidget(self.words)
        column.addLayout(captioned("Reader", self.reader, self.done, self.second))
        row = QHBoxLayout()
        for one in (self.before, self.next, self.rank):
            row.addWidget(one)
        column.addLayout(row)
        column.addWidget(self.about)
        column.addLayout(captioned("Patients", self.source))
        column.addLayout(captioned("Models", self.models))
        column.addLayout(captioned("Where", self.where, self.start, self.stop))
        column.addStretch(1)
        let_scroll(self, inside)
        self.setMinimumWidth(WIDTH)


def about(item: Item, blind: bool) -> str:
    """Return in words why a patient is where it is, and what to know about its masks."""
    place = f"number {item.place}, score {item.ranked.score:.2f}" if item.ranked else "not ranked"
    lines = [f"{item.patient}: {place}, {item.review}"]
    if blind:
        lines.append("Second reading: the masks of those before you are hidden until you are done.")
    reasons = () if item.ranked is None else item.ranked.reasons
    said = [
        line for line in item.warnings if not any(line.removesuffix(".") in one for one in reasons)
    ]
    lines += [f"- {line}" for line in (*reasons, *said)]
    if item.ranked is not None and not reasons:
        lines.append("- nothing unusual")
    return "\n".join(lines)


def button(text: str, tip: str) -> QPushButton:
    """Return a button with its tooltip."""
    one = QPushButton(text)
    one.setToolTip(tip)
    return one
