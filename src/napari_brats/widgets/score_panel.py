"""What a person sees of the scores: choices, three generations with their rules, buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_brats.metrics.case_scores import CaseScores
from napari_brats.metrics.lesions import FALSE, IGNORED, MATCHED, MISSED, Lesion
from napari_brats.metrics.lesionwise import LesionScore
from napari_brats.metrics.surface import HD95_RULES
from napari_brats.metrics.table import METRICS
from napari_brats.metrics.tasks import TASKS
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.number_table import NumberTable
from napari_brats.workflows.figures import ANIMATIONS, FIGURES, PatientFigure
from napari_brats.workflows.tables import Cell

PICTURES = {
    row.name: row
    for row in (*FIGURES.values(), *ANIMATIONS.values())
    if isinstance(row, PatientFigure)
}
"""What the figure button offers: every picture of one patient."""

COPIES = (
    ("Scores as CSV", "scores", "csv"),
    ("Scores as Markdown", "scores", "markdown"),
    ("Lesions as CSV", "lesions", "csv"),
    ("Lesions as Markdown", "lesions", "markdown"),
)
"""What the copy button offers: title, table, form."""

_FIRST = ("dice", "hd95_mm", "nsd")
_WHOLE = (*_FIRST, *(n for n in METRICS if n not in _FIRST and not n.startswith("lesionwise")))
_RULES = (("Task", "task"), ("HD95", "hd95_mm"), ("NSD", "nsd"), ("Empty", "empty"))
_COUNTS = (MATCHED, MISSED, FALSE, IGNORED)
_SHORT = {
    "average symmetric surface distance": "ASSD",
    "Hausdorff distance": "Hausdorff",
    "surface Dice": "NSD",
    "volume difference": "difference",
}
"""Headings that would be wider than their column."""

_TIP = "A click on a column's head sorts by it"


@dataclass(frozen=True)
class Choice:
    """What is to be scored, and by which rules.

    Parameters
    ----------
    mask, reference : napari.layers.Labels or None
        The layers.
    task : str or None
        Row of `TASKS`; None for the edition's.
    hd95 : str
        Row of `HD95_RULES`.
    """

    mask: Any
    reference: Any
    task: str | None
    hd95: str


class ScorePanel(QWidget):
    """The view of the Scores dock."""

    score_asked = Signal()
    copy_asked = Signal(str, str)
    figure_asked = Signal(str)
    lesion_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.masks = Combo("Mask", "The mask to score", self)
        self.references = Combo("Against", "The reference, or another reader's mask", self)
        self.tasks = Combo("Rules", "Whose lesion-wise rules and regions to take", self)
        self.tasks.addItem("of the edition", None)
        for task in TASKS.values():
            self.tasks.addItem(f"{task.name}: {task.title}", task.name)
        self.hd95 = Combo("HD95", "How HD95 of whole regions is taken", self)
        for number, rule in enumerate(HD95_RULES.values()):
            self.hd95.addItem(rule.name, rule.name)
            words = f"{rule.formula} ({rule.programs})"
            self.hd95.setItemData(number, words, Qt.ItemDataRole.ToolTipRole)
        self.score = QPushButton("Score")
        self.score.setToolTip("Compute every number; strokes may go on meanwhile")
        self.score.clicked.connect(lambda: self.score_asked.emit())
        self.copy = self._menu_button("Copy", "Put a table on the clipboard")
        self.figure = self._menu_button("Figure", "Draw the chosen masks, beside the patient")
        self._fill_menus()
        self.words = _text("State of the scores")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.words.setOpenExternalLinks(True)
        self.tabs = QTabWidget(self)
        self.tabs.setAccessibleName("Three generations of scores")
        self.whole = _Page("whole regions", self)
        self.pages = {
            "2023": _Page("2023", self, lesions=True),
            "2026": _Page("2026", self, lesions=True),
        }
        for title, page in (("Regions", self.whole), *self.pages.items()):
            self.tabs.addTab(page, title)
        for page in self.pages.values():
            page.lesion_chosen.connect(self.lesion_chosen)
        self._lay_out()
        self.show_scores(None)

    def choice(self) -> Choice:
        """Return what is chosen."""
        return Choice(
            self.masks.currentData(),
            self.references.currentData(),
            self.tasks.currentData(),
            self.hd95.currentData(),
        )

    def show_layers(self, combo: Combo, layers: Sequence[Any], chosen: Any) -> None:
        """List layers in one of the two menus."""
        combo.blockSignals(True)
        combo.clear()
        for layer in layers:
            combo.addItem(layer.name, layer)
        combo.setCurrentIndex(next((n for n, one in enumerate(layers) if one is chosen), -1))
        combo.blockSignals(False)

    def show_scores(self, scores: CaseScores | None) -> None:
        """Show all tables, or none."""
        self.tabs.setVisible(scores is not None)
        self.copy.setEnabled(scores is not None)
        if scores is None:
            return
        rows = scores.rows()
        self.whole.show_numbers(
            ["region", *(_heading(METRICS[name].title, METRICS[name].unit) for name in _WHOLE)],
            [[region, *(values[name] for name in _WHOLE)] for region, values in rows.items()],
            "\n".join(f"{title}: {scores.rules[key]}" for title, key in _RULES),
        )
        for year, regions in (("2023", scores.lesionwise_2023), ("2026", scores.lesionwise_2026)):
            self.pages[year].show_lesionwise(regions, scores.rules[f"lesionwise_{year}"])

    def _menu_button(self, title: str, tip: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(tip)
        button.setMenu(QMenu(button))
        return button

    def _fill_menus(self) -> None:
        copies, figures = self.copy.menu(), self.figure.menu()
        assert copies is not None
        assert figures is not None
        for title, table, form in COPIES:
            action = copies.addAction(title)
            assert action is not None
            action.triggered.connect(
                lambda *_, table=table, form=form: self.copy_asked.emit(table, form)
            )
        for row in PICTURES.values():
            action = figures.addAction(f"{row.name}: {row.title}")
            assert action is not None
            action.triggered.connect(lambda *_, name=row.name: self.figure_asked.emit(name))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        for title, combo in (
            ("Mask", self.masks), ("Against", self.references),
            ("Rules", self.tasks), ("HD95", self.hd95),
        ):  # fmt: skip
            column.addLayout(captioned(title, combo))
        buttons = QHBoxLayout()
        for button in (self.score, self.copy, self.figure):
            buttons.addWidget(button)
        column.addLayout(buttons)
        column.addWidget(self.words)
        column.addWidget(self.tabs)
        column.addStretch()


class _Page(QWidget):
    """One generation: its numbers per region, its rule in words, its lesions."""

    lesion_chosen = Signal(object)

    def __init__(self, name: str, parent: QWidget, *, lesions: bool = False) -> None:
        super().__init__(parent)
        self.numbers = NumberTable(f"Scores, {name}", _TIP, self)
        self.rule = _text(f"Rule, {name}")
        self.lesions = NumberTable(
            f"Lesions, {name}", f"{_TIP}; a click on a row goes to the lesion", self
        )
        self._listed: list[Lesion] = []
        self.lesions.row_chosen.connect(lambda row: self.lesion_chosen.emit(self._listed[row]))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.numbers)
        column.addWidget(self.lesions)
        column.addWidget(self.rule)
        column.addStretch()
        self.lesions.setVisible(lesions)

    def show_numbers(
        self, header: Sequence[str], rows: Sequence[Sequence[Cell]], rule: str
    ) -> None:
        """Show the regions and the rule."""
        self.numbers.show_rows(header, rows)
        self.rule.setText(rule)

    def show_lesionwise(self, regions: Mapping[str, LesionScore], rule: str) -> None:
        """Show the regions, each lesion, and the rule."""
        self.show_numbers(
            ["region", "Dice", "HD95 mm", "NSD", *_COUNTS],
            [
                [region, s.dice, s.hd95_mm, s.nsd, *(s.count(status) for status in _COUNTS)]
                for region, s in regions.items()
            ],
            rule,
        )
        listed = [(region, one) for region, score in regions.items() for one in score.lesions]
        self._listed = [lesion for _, lesion in listed]
        self.lesions.show_rows(
            ["region", "lesion", "volume ml", "Dice", "HD95 mm", "NSD"],
            [
                [region, one.status, one.volume_ml, one.dice, one.hd95_mm, one.nsd]
                for region, one in listed
            ],
        )


def _heading(title: str, unit: str) -> str:
    short = _SHORT.get(title, title)
    return short if unit == "1" else f"{short} {unit}"


def _text(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
