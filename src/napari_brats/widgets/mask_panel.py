"""Choose a mask, read its live scores, save it, compare it."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.live_scores import ScoreRow
from napari_brats.widgets.score_table import ScoreTable

UNSAVED = "\u2022 "
"""Stands before the name of a mask with unsaved edits."""


class MaskPanel(QWidget):
    """Mask menu, score table, Save and Compare.

    Attributes
    ----------
    mask_chosen : Signal(object)
        A labels layer was chosen in the menu; None where there is none.
    save_asked, save_as_asked : Signal()
        Save beside the case, or where the person says.
    compare_toggled : Signal(bool)
        Compare was switched on or off.
    """

    mask_chosen = Signal(object)
    save_asked = Signal()
    save_as_asked = Signal()
    compare_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.masks = Combo(
            "Mask", "The mask that is scored and saved; a dot marks unsaved edits", self
        )
        self.table = ScoreTable(self)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setAccessibleName("Note on the scores")
        self.save = QPushButton("Save mask", self)
        self.save.setToolTip("Save the mask beside its patient; never over a source file")
        self.save.setAccessibleName("Save the mask beside its patient")
        self.save_as = QPushButton("Save as...", self)
        self.save_as.setToolTip("Save the mask where you choose")
        self.save_as.setAccessibleName("Save the mask elsewhere")
        self.compare = QPushButton("Compare", self)
        self.compare.setCheckable(True)
        self.compare.setToolTip("Draw the reference's outlines over the mask")
        self.compare.setAccessibleName("Compare the mask with the reference")
        buttons = QHBoxLayout()
        for button in (self.save, self.save_as, self.compare):
            buttons.addWidget(button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(captioned("Mask", self.masks))
        layout.addWidget(self.table)
        layout.addWidget(self.note)
        layout.addLayout(buttons)
        self.masks.currentIndexChanged.connect(self._choose)
        self.save.clicked.connect(lambda: self.save_asked.emit())
        self.save_as.clicked.connect(lambda: self.save_as_asked.emit())
        self.compare.toggled.connect(self.compare_toggled)
        self.show_masks([], None)

    def show_masks(self, masks: Sequence[tuple[Any, str]], chosen: Any) -> None:
        """Fill the menu with (layer, title) pairs; signals only if the choice changes."""
        before = self.mask()
        self.masks.blockSignals(True)
        self.masks.clear()
        for layer, title in masks:
            self.masks.addItem(title, layer)
        layers = [layer for layer, _ in masks]
        wanted = next((i for i, layer in enumerate(layers) if layer is chosen), len(layers) - 1)
        self.masks.setCurrentIndex(wanted)
        self.masks.blockSignals(False)
        for control in (self.masks, self.save, self.save_as):
            control.setEnabled(bool(masks))
        if self.mask() is not before:
            self._choose()

    def mask(self) -> Any:
        """Return the chosen labels layer, or None."""
        return self.masks.currentData()

    def choose(self, layer: Any) -> None:
        """Choose a mask that the menu holds."""
        for index in range(self.masks.count()):
            if self.masks.itemData(index) is layer:
                self.masks.setCurrentIndex(index)

    def show_scores(self, rows: Sequence[ScoreRow], note: str) -> None:
        """Show the numbers and what to know about them."""
        self.table.show_rows(rows)
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def show_comparable(self, comparable: bool) -> None:
        """Let Compare be used only where there is a reference."""
        if not comparable:
            self.compare.setChecked(False)
        self.compare.setEnabled(comparable)

    def _choose(self) -> None:
        self.mask_chosen.emit(self.mask())
