"""The places where masks differ as a list, with what can be done about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.decisions import Verdict
from napari_brats.editing.disagreements import ORDERS
from napari_brats.regions import REGIONS
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.folding import FoldingPanel

COLUMNS = ("", "in", "ml", "Dice", "decision")
EVERY_REGION = "all"
NEXT_KEY, PREVIOUS_KEY = "N", "Shift+N"
_ROWS_SHOWN, _NARROW = 7, 4
_TIPS = {
    Verdict.TAKE_A: "A is right: leave the mask as it is here",
    Verdict.TAKE_B: "B is right: the mask becomes as B is here; one undo takes it back",
    Verdict.EDIT: "Neither: take up the brush here",
    Verdict.IGNORE: "Not worth a stroke",
}


@dataclass(frozen=True)
class PlaceRow:
    """One line of the list; ``tip`` says what the short columns mean."""

    cells: tuple[str, str, str, str, str]
    tip: str


class PlacesPanel(FoldingPanel):
    """What the mask is compared with, the list, previous and next, and four answers. Folded first.

    Attributes
    ----------
    opened : Signal(bool)
        The panel was unfolded, or folded.
    listing : Signal()
        What there is to compare with is about to be seen.
    changed : Signal()
        Another mask to compare with, region or order was chosen.
    row_chosen : Signal(int)
        A line of the list was chosen.
    step_asked : Signal(int)
        1 for the next place that is not decided, -1 for the one before.
    verdict_asked : Signal(str)
        One of `Verdict`.
    """

    opened = Signal(bool)
    listing = Signal()
    changed = Signal()
    row_chosen = Signal(int)
    step_asked = Signal(int)
    verdict_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Disagreements",
            "Go from place to place where masks differ, or a model was unsure",
            parent,
        )
        self._make_controls()
        self._lay_out()
        self._connect()
        self.show_rows([], -1)
        self.show_takable(takable=False, chosen=False)

    def show_sources(self, titles: Sequence[str]) -> None:
        """Offer what to compare with; the choice stays where it can."""
        before = self.sources.currentText()
        self.sources.blockSignals(True)
        self.sources.clear()
        self.sources.addItems(list(titles))
        self.sources.setCurrentIndex(max(0, self.sources.findText(before)))
        self.sources.blockSignals(False)

    def show_rows(self, rows: Sequence[PlaceRow], current: int) -> None:
        """Fill the list and mark one line; none if ``current`` is negative."""
        self.list.blockSignals(True)
        self.list.clear()
        for row in rows:
            item = QTreeWidgetItem(list(row.cells))
            for column in range(len(COLUMNS)):
                item.setToolTip(column, row.tip)
                if column in (2, 3):
                    item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
            self.list.addTopLevelItem(item)
        self.list.setVisible(bool(rows))
        self.list.blockSignals(False)
        self.mark_row(current)
        self._fit_height()

    def mark_row(self, row: int) -> None:
        """Mark one line without telling anybody."""
        self.list.blockSignals(True)
        item = self.list.topLevelItem(row) if row >= 0 else None
        if item is None:
            self.list.clearSelection()
        else:
            self.list.setCurrentItem(item)
        self.list.blockSignals(False)

    def show_takable(self, *, takable: bool, chosen: bool) -> None:
        """Let be pressed what makes sense at the place at hand."""
        for verdict, button in self.verdicts.items():
            takes = verdict in (Verdict.TAKE_A, Verdict.TAKE_B)
            button.setEnabled(chosen and (takable or not takes))

    def say(self, text: str) -> None:
        """Tell how many places there are, or what is wrong."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

    def ask_for_probabilities(self, folder: Path) -> Path | None:
        """Let the person choose a file of probabilities; None if they choose none."""
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Probabilities", str(folder), "NIfTI (*.nii.gz *.nii)"
        )
        return Path(chosen) if chosen else None

    def _make_controls(self) -> None:
        self.sources = Combo("Compare with", "B; A is the mask that is chosen above", self)
        self.regions = Combo("Region", "Which regions' places are listed", self)
        self.regions.addItems([EVERY_REGION, *REGIONS])
        self.orders = Combo("Order", "Which places come first", self)
        self.orders.addItems(list(ORDERS))
        for combo in (self.regions, self.orders):
            combo.setMinimumContentsLength(_NARROW)
        self.list = QTreeWidget(self)
        self._prepare_list()
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("Places to look at")
        self.before = _button("Previous", f"The place before ({PREVIOUS_KEY})", self)
        self.after = _button("Next", f"The next place that is not decided ({NEXT_KEY})", self)
        self.verdicts = {
            verdict: _button(verdict.capitalize(), tip, self) for verdict, tip in _TIPS.items()
        }
        self.verdicts[Verdict.TAKE_A].setText("Take A")
        self.verdicts[Verdict.TAKE_B].setText("Take B")

    def _prepare_list(self) -> None:
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Places where the masks differ")
        self.list.setToolTip("Choose a place to see it in the middle of the canvas")
        header = self.list.header()
        if header is not None:
            header.setStretchLastSection(True)
            header.setMinimumSectionSize(24)
            for column in range(len(COLUMNS) - 1):
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        for place, button in enumerate((self.before, self.after, *self.verdicts.values())):
            buttons.addWidget(button, place // 2, place % 2)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(captioned("B is", self.sources))
        inner.addLayout(captioned("Show", self.regions, self.orders))
        inner.addWidget(self.list)
        inner.addWidget(self.words)
        inner.addLayout(buttons)

    def _connect(self) -> None:
        self.head.toggled.connect(self.opened)
        self.sources.opening.connect(self.listing)
        self.sources.activated.connect(lambda _: self.changed.emit())
        for combo in (self.regions, self.orders):
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.list.currentItemChanged.connect(
            lambda item, _: self.row_chosen.emit(self.list.indexOfTopLevelItem(item))
        )
        self.before.clicked.connect(lambda: self.step_asked.emit(-1))
        self.after.clicked.connect(lambda: self.step_asked.emit(1))
        for verdict, button in self.verdicts.items():
            button.clicked.connect(lambda _, verdict=verdict: self.verdict_asked.emit(verdict))
        for key, step in ((NEXT_KEY, 1), (PREVIOUS_KEY, -1)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self.step_asked.emit(step))

    def _fit_height(self) -> None:
        """Give the list the height of its rows, a few at most; it scrolls beyond."""
        shown = min(max(self.list.topLevelItemCount(), 1), _ROWS_SHOWN)
        header = self.list.header()
        height = 0 if header is None else header.sizeHint().height()
        height += shown * max(self.list.sizeHintForRow(0), 18) + 6
        self.list.setFixedHeight(height)


def _button(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    button.setAccessibleName(f"{text}: {tip}")
    # A click must leave the keys of the canvas working.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
