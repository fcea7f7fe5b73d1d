"""Choose a whole-volume tool, look at what it would change, apply it."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.brushes import Brush
from napari_brats.editing.tools.table import ALL, IMAGES, OTHER, REGION, SEED, TOOLS, Tool
from napari_brats.regions import REGIONS
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.folding import FoldingPanel
from napari_brats.widgets.tool_form import ToolForm, caption

NO_PLACE = "none yet"
_COLUMNS = 2


class ToolsPanel(FoldingPanel):
    """Tool, what it applies to, its parameters; Preview, Apply and Cancel. Folded at first.

    Attributes
    ----------
    changed : Signal()
        Anything that a preview depends on was chosen.
    preview_asked, apply_asked, cancel_asked : Signal()
        A button was pressed.
    pick_toggled : Signal(bool)
        The next click on the image is to be the tool's place, or no longer.
    opened : Signal()
        What there is to choose from is about to be seen.
    """

    changed = Signal()
    preview_asked = Signal()
    apply_asked = Signal()
    cancel_asked = Signal()
    pick_toggled = Signal(bool)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Whole-volume tools",
            "Fill between slices, smooth, grow, remove islands and more",
            parent,
        )
        self._brushes: tuple[Brush, ...] = ()
        self._chosen: dict[str, str] = {}
        self._images: dict[str, QCheckBox] = {}
        self._make_controls()
        self._lay_out()
        self._connect()
        self._show_tool()
        self.set_state(ready=False)

    def tool(self) -> Tool:
        """Return the chosen tool."""
        return TOOLS[self.tools.currentData()]

    def brush(self) -> Brush | None:
        """Return what it applies to; None for all tissues."""
        brush: Brush | None = self.targets.currentData()
        return brush

    def other(self) -> Any:
        """Return the other mask's layer, or None where there is none."""
        return self.others.currentData()

    def modalities(self) -> tuple[str, ...]:
        """Return the titles of the ticked images."""
        return tuple(title for title, box in self._images.items() if box.isChecked())

    def show_brushes(self, brushes: Sequence[Brush]) -> None:
        """Offer the regions and tissues of an edition."""
        self._brushes = tuple(brushes)
        self._fill_targets()

    def show_others(self, layers: Sequence[Any]) -> None:
        """Offer other masks; the choice stays where it can."""
        before = self.other()
        self.others.blockSignals(True)
        self.others.clear()
        for layer in layers:
            self.others.addItem(layer.name, layer)
        kept = next((place for place, layer in enumerate(layers) if layer is before), 0)
        self.others.setCurrentIndex(kept if layers else -1)
        self.others.blockSignals(False)

    def show_images(self, titles: Sequence[str]) -> None:
        """Offer images, all of them ticked at first."""
        if list(titles) == list(self._images):
            return
        for box in self._images.values():
            box.deleteLater()
        self._images = {title: QCheckBox(title, self.images) for title in titles}
        for place, (title, box) in enumerate(self._images.items()):
            box.setChecked(True)
            box.setToolTip(f"Look at {title} when growing")
            box.toggled.connect(lambda _: self.changed.emit())
            self._image_grid.addWidget(box, place // _COLUMNS, place % _COLUMNS)

    def show_place(self, text: str) -> None:
        """Show the place that was picked."""
        self.place.setText(text or NO_PLACE)
        self.pick.setChecked(False)

    def say(self, text: str) -> None:
        """Show what would change, what changed, or why nothing does."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

    def set_state(self, *, ready: bool, busy: bool = False, shown: bool = False) -> None:
        """Let be pressed what makes sense.

        Parameters
        ----------
        ready : bool
            Whether there is a mask.
        busy, shown : bool
            Whether a tool is at work; whether a preview is shown.
        """
        self.preview.setEnabled(ready and not busy)
        self.apply.setEnabled(ready and not busy)
        self.cancel.setEnabled(busy or shown)

    def _make_controls(self) -> None:
        self.tools = Combo("Tool", "What to do with the chosen mask", self)
        for tool in TOOLS.values():
            self.tools.addItem(tool.title, tool.name)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.targets = Combo("Apply to", "The region or tissue that is changed", self)
        self.form = ToolForm(self)
        self.others = Combo("Other mask", "The mask that is taken from", self)
        self.images = QWidget(self)
        self.spot = QWidget(self)
        self.place = QLabel(NO_PLACE, self)
        self.place.setWordWrap(True)
        self.pick = _button("Pick", "Then click on the image; click here again to leave it", self)
        self.pick.setCheckable(True)
        self.preview = _button("Preview", "Show what would change; the mask stays", self)
        self.apply = _button("Apply", "Change the mask; one undo takes it back", self)
        self.cancel = _button("Cancel", "Stop, or take the preview away", self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setAccessibleName("What the tool changes")

    def _lay_out(self) -> None:
        self._image_grid = QGridLayout(self.images)
        self._image_grid.setContentsMargins(0, 0, 0, 0)
        spot = QHBoxLayout(self.spot)
        spot.setContentsMargins(0, 0, 0, 0)
        spot.addWidget(self.place, 1)
        spot.addWidget(self.pick)
        self.rows = QFormLayout()
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.rows.addRow(caption("Tool"), self.tools)
        self.rows.addRow(self.text)
        self.rows.addRow(caption("Apply to"), self.targets)
        self.rows.addRow(caption("From"), self.others)
        self.rows.addRow(caption("Look at"), self.images)
        self.rows.addRow(caption("Place"), self.spot)
        self.rows.addRow(self.form)
        buttons = QHBoxLayout()
        for button in (self.preview, self.apply, self.cancel):
            buttons.addWidget(button, 1)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(self.rows)
        inner.addLayout(buttons)
        inner.addWidget(self.words)
        self.words.hide()

    def _connect(self) -> None:
        self.head.toggled.connect(self._on_folded)
        self.tools.currentIndexChanged.connect(self._show_tool)
        self.targets.activated.connect(self._keep_target)
        self.targets.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.others.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.others.opening.connect(self.opened)
        self.form.changed.connect(self.changed)
        self.pick.toggled.connect(self.pick_toggled)
        self.preview.clicked.connect(lambda: self.preview_asked.emit())
        self.apply.clicked.connect(lambda: self.apply_asked.emit())
        self.cancel.clicked.connect(lambda: self.cancel_asked.emit())

    def _on_folded(self, open_: bool) -> None:
        if open_:
            self.opened.emit()
        else:
            self.cancel_asked.emit()

    def _show_tool(self) -> None:
        tool = self.tool()
        self.text.setText(tool.text)
        self.form.show_tool(tool)
        for row, needed in ((self.others, OTHER), (self.images, IMAGES), (self.spot, SEED)):
            self.rows.setRowVisible(row, needed in tool.needs)
        self._fill_targets()
        self.opened.emit()
        self.changed.emit()

    def _keep_target(self) -> None:
        self._chosen[self.tool().name] = self.targets.currentText()

    def _fill_targets(self) -> None:
        """List what the tool can be applied to; a choice made for it before comes back."""
        tool = self.tool()
        self.targets.blockSignals(True)
        self.targets.clear()
        for kind in tool.applies_to:
            if kind == ALL:
                self.targets.addItem(ALL, None)
            for brush in self._brushes if kind == REGION else ():
                region = brush.name in REGIONS
                self.targets.addItem(
                    f"{brush.name}: {brush.title}" if region else brush.title, brush
                )
        names = [self._chosen.get(tool.name), tool.first and _title_of(tool.first)]
        places = [self.targets.findText(name) for name in names if name]
        self.targets.setCurrentIndex(next((place for place in places if place >= 0), 0))
        self.targets.blockSignals(False)


def _title_of(region: str) -> str:
    return f"{region}: {REGIONS[region].title}"


def _button(text: str, tip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    button.setAccessibleName(f"{text}: {tip}")
    return button
