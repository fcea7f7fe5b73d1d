"""Switch views: three planes, tiles to compare, 3D, outlines, and the difference layer."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_brats.plugin.differences import ALL_REGIONS
from napari_brats.regions import REGIONS
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.paint_keys import OUTLINES_KEY

PLANES, TILES, SOLID = "planes", "tiles", "solid"


class ViewsPanel(QWidget):
    """A row of switches, and a row for the difference layer.

    Attributes
    ----------
    view_toggled : Signal(str, bool)
        `PLANES`, `TILES` or `SOLID` was switched on or off.
    outlines_toggled : Signal(bool)
        Masks are to be outlines, or fills.
    difference_changed : Signal()
        The difference layer was switched, or is to show something else.
    """

    view_toggled = Signal(str, bool)
    outlines_toggled = Signal(bool)
    difference_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views = {
            PLANES: _switch("3 planes", "Axial, coronal and sagittal side by side, linked", self),
            TILES: _switch("Tiles", "Mask, reference and difference side by side, linked", self),
            SOLID: _switch("3D", "The regions of the mask as surfaces", self),
        }
        self.outlines = _switch(
            "Outlines", f"Masks as outlines instead of fills ({OUTLINES_KEY})", self
        )
        self.difference = _switch(
            "Difference", "A layer with what is missed (blue) and what is too much (pink)", self
        )
        self.others = Combo("Compare with", "What the mask is compared with", self)
        self.regions = Combo("Region compared", "The region whose difference is shown", self)
        self.regions.addItem("all", ALL_REGIONS)
        for name in REGIONS:
            self.regions.addItem(name, name)
        self._lay_out()
        for name, button in self.views.items():
            button.toggled.connect(lambda on, name=name: self.view_toggled.emit(name, on))
        self.outlines.toggled.connect(self.outlines_toggled)
        self.difference.toggled.connect(lambda _: self.difference_changed.emit())
        for combo in (self.others, self.regions):
            combo.currentIndexChanged.connect(lambda _: self.difference_changed.emit())

    def show_others(self, others: Sequence[Any]) -> None:
        """Offer what the mask can be compared with; without any there is no difference."""
        chosen = self.others.currentData()
        self.others.blockSignals(True)
        self.others.clear()
        for layer in others:
            self.others.addItem(layer.name, layer)
        places = [place for place, layer in enumerate(others) if layer is chosen]
        self.others.setCurrentIndex(places[0] if places else 0 if others else -1)
        self.others.blockSignals(False)
        for combo in (self.others, self.regions):
            combo.setEnabled(bool(others))
        for button in (self.difference, self.views[TILES]):
            # What is on stays on for the next patient, and can be switched off meanwhile.
            button.setEnabled(bool(others) or button.isChecked())

    def other(self) -> Any:
        """Return what the mask is to be compared with, or None."""
        return self.others.currentData()

    def region(self) -> str:
        """Return whose difference is to be shown, or `ALL_REGIONS`."""
        return str(self.regions.currentData())

    def _lay_out(self) -> None:
        switches, choices = QHBoxLayout(), QHBoxLayout()
        for row in (switches, choices):
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(2)
        for button in (*self.views.values(), self.outlines):
            switches.addWidget(button, 1)
        choices.addWidget(self.difference)
        choices.addWidget(self.others, 1)
        choices.addWidget(self.regions)
        for combo in (self.others, self.regions):
            combo.setMinimumContentsLength(3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(switches)
        layout.addLayout(choices)


def _switch(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    # A click must leave the keys of the canvas working.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
