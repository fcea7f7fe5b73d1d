"""Choose what strokes paint, what they may change, and read what the next one will do."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.widgets.brush_buttons import BrushButtons
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.histogram import Histogram
from napari_brats.widgets.paint_keys import KeyHelp
from napari_brats.widgets.painter import ANYWHERE, OUTSIDE

BANDS = 2
_ANY = "any intensity"


class PaintPanel(QWidget):
    """Brushes with locks, paint or erase, and the limits of strokes; it can be folded.

    Attributes
    ----------
    way_chosen, erase_chosen : Signal(bool)
        Regions instead of tissues; erase instead of paint.
    inside_chosen : Signal(str)
        Where to stay, `ANYWHERE` too.
    band_chosen : Signal(int, str)
        Number of a window and the modality it is on, empty for none.
    band_moved : Signal(int, float, float)
        Number of a window and its ends.
    sample_toggled : Signal(bool)
        The next stroke is to be a sample, or not after all.
    """

    way_chosen = Signal(bool)
    erase_chosen = Signal(bool)
    inside_chosen = Signal(str)
    band_chosen = Signal(int, str)
    band_moved = Signal(int, float, float)
    sample_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fold = QToolButton(self)
        self.fold.setText("Paint")
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setAccessibleName("Show or hide the ways to paint")
        self.fold.setToolTip("Show or hide the ways to paint")
        self.help = _button("?", "Keys while painting (F1)", self)
        self.help.setFixedWidth(26)
        self.keys = KeyHelp(self)
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName("What the next stroke does")
        self.tissues = _button("Tissues", "A stroke paints one tissue, whatever is there", self)
        self.regions = _button(
            "Regions", "ET stays inside TC, and TC inside WT; erasing one gives back the next", self
        )
        self.paint = _button("Paint", "Strokes add (X swaps)", self)
        self.erase = _button("Erase", "Strokes take away (X swaps)", self)
        self._groups = [self._either(self.tissues, self.regions)]
        self._groups.append(self._either(self.paint, self.erase))
        self.brushes = BrushButtons(self)
        self.inside = Combo("Paint only inside", "Strokes change only what is this now", self)
        self.modalities = [Combo(f"Window {i + 1}", _WINDOW_TIP, self) for i in range(BANDS)]
        self._lines = [QWidget(self) for _ in range(BANDS)]
        self.histograms = [Histogram(self) for _ in range(BANDS)]
        self.sample = _button("Set from a sample", _SAMPLE_TIP, self)
        self.sample.setCheckable(True)
        self._lay_out()
        self._connect()
        self.fold.setChecked(True)

    def show_places(self, names: Sequence[str], chosen: str) -> None:
        """Offer where to stay inside."""
        entries = [("anywhere", ANYWHERE), *((name, name) for name in names)]
        _refill(self.inside, entries, chosen)

    def show_modalities(self, titles: Sequence[str], chosen: Sequence[str]) -> None:
        """Offer modalities for the windows; the second window appears with the first."""
        for place, (combo, histogram) in enumerate(
            zip(self.modalities, self.histograms, strict=True)
        ):
            title = chosen[place] if place < len(chosen) else ""
            others = [other for other in chosen if other != title]
            free = [(other, other) for other in titles if other not in others]
            _refill(combo, [(_ANY, ""), *free], title)
            histogram.setVisible(bool(title))
            self._lines[place].setVisible(place <= len(chosen))
        self.sample.setVisible(bool(chosen))

    def show_summary(self, stroke: str, conditions: str) -> None:
        """Say what the next stroke does."""
        self.summary.setText(f"{stroke} {conditions}" if conditions else stroke)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.fold)
        head.addStretch(1)
        head.addWidget(self.help)
        ways = QHBoxLayout()
        ways.setSpacing(2)
        ways.addWidget(self.tissues, 1)
        ways.addWidget(self.regions, 1)
        ways.addSpacing(10)
        ways.addWidget(self.paint, 1)
        ways.addWidget(self.erase, 1)
        self.body = QWidget(self)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(ways)
        column.addWidget(self.brushes)
        column.addLayout(captioned("Inside", self.inside))
        for text, line, combo, histogram in zip(
            ("Values", "and"), self._lines, self.modalities, self.histograms, strict=True
        ):
            line.setLayout(captioned(text, combo))
            column.addWidget(line)
            column.addWidget(histogram)
        column.addWidget(self.sample)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.summary)
        layout.addWidget(self.body)

    def _connect(self) -> None:
        self.fold.toggled.connect(self._show_body)
        self.help.clicked.connect(lambda: self.keys.show_keys())
        self.tissues.clicked.connect(lambda: self.way_chosen.emit(False))
        self.regions.clicked.connect(lambda: self.way_chosen.emit(True))
        self.paint.clicked.connect(lambda: self.erase_chosen.emit(False))
        self.erase.clicked.connect(lambda: self.erase_chosen.emit(True))
        self.sample.toggled.connect(self.sample_toggled)
        self.inside.currentIndexChanged.connect(
            lambda: self.inside_chosen.emit(self.inside.currentData())
        )
        for place, (combo, histogram) in enumerate(
            zip(self.modalities, self.histograms, strict=True)
        ):
            combo.currentIndexChanged.connect(
                lambda _, place=place, combo=combo: self.band_chosen.emit(
                    place, combo.currentData()
                )
            )
            histogram.moved.connect(
                lambda low, high, place=place: self.band_moved.emit(place, low, high)
            )

    def _show_body(self, on: bool) -> None:
        self.fold.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.body.setVisible(on)

    def _either(self, first: QPushButton, second: QPushButton) -> QButtonGroup:
        group = QButtonGroup(self)
        for button in (first, second):
            button.setCheckable(True)
            group.addButton(button)
        first.setChecked(True)
        return group


_WINDOW_TIP = "Strokes change only voxels with these intensities of a modality"
_SAMPLE_TIP = "The next stroke paints nothing: its intensities set the window"


def place_names(names: Sequence[str]) -> list[str]:
    """Return where to stay inside, the outside of the tumor last."""
    return [*(name for name in names if name != OUTSIDE), OUTSIDE]


def _button(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    # A click must leave the keys of the canvas working.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _refill(combo: Combo, entries: Sequence[tuple[str, str]], chosen: str) -> None:
    """Show entries (title, data) without telling anybody."""
    combo.blockSignals(True)
    combo.clear()
    for title, data in entries:
        combo.addItem(title, data)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.blockSignals(False)
