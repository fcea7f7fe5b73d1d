"""The difference layer: where a mask and another disagree, while the mask is painted."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_brats.plugin.differences import ALL_REGIONS, difference_appearance, difference_codes
from napari_brats.plugin.tags import DIFFERENCE
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.over_mask import OverMask

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_brats.widgets.edits import LayerEdits
    from napari_brats.widgets.strokes import Place

PAUSE_MS = 100
"""How long edits are gathered before the layer follows them."""


class DifferenceLayer(OverMask):
    """Shows one difference at a time over the images.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where it is shown.
    book : MaskBook
        Knows the masks and their edits.
    on_gone : callable
        Called when a person takes the layer away. Where its mask goes, it goes too.
    """

    def __init__(self, viewer: "ViewerModel", book: MaskBook, on_gone: Callable[[], None]) -> None:
        super().__init__(viewer, on_gone)
        self._book = book
        self._mask: Any = None
        self._other: Any = None
        self._edits: list[LayerEdits] = []
        self._region = ALL_REGIONS
        self._boxes: list[Place] | None = []
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.catch_up)

    def show(self, mask: Any, other: Any, region: str) -> None:
        """Show where two masks of one grid disagree, and follow the edits of both.

        Parameters
        ----------
        mask, other : napari.layers.Labels
            What is judged, and what it is compared with.
        region : str
            As `difference_codes` takes it.
        """
        self._let_go()
        self._mask, self._other, self._region = mask, other, region
        for layer in (mask, other):
            if layer in self._book.masks():
                edits = self._book.edits(layer)
                edits.on_paint.append(self._painted)
                edits.on_replace.append(self._replaced)
                self._edits.append(edits)
        tag = replace(mask_tag(mask), role=DIFFERENCE, title=DIFFERENCE, path=None)
        if not self._fits(mask):
            codes = difference_codes(mask.data, mask.data)
            look = {**difference_appearance(), "opacity": 0.8, "metadata": tag.metadata()}
            self._add(mask, codes, look)
        self._layer.metadata = tag.metadata()
        self._layer.name = f"difference: {mask.name} and {other.name}"
        self._boxes = None
        self.catch_up()

    def clear(self) -> None:
        """Take it away."""
        self._let_go()
        super().clear()

    def catch_up(self) -> None:
        """Bring the layer up to date now."""
        boxes, self._boxes = self._boxes, []
        if self._layer is None or self._mask is None or self._other is None:
            return
        for box in [(slice(None),) * 3] if boxes is None else boxes:
            self._layer.data[box] = difference_codes(
                self._mask.data[box], self._other.data[box], self._region
            )
        if self._layer.visible and boxes != []:
            self._layer.refresh()
        else:
            # Hidden here, it may be shown on another canvas.
            self._layer.events.set_data()

    def _let_go(self) -> None:
        for edits in self._edits:
            edits.on_paint.remove(self._painted)
            edits.on_replace.remove(self._replaced)
        self._edits.clear()
        self._mask = self._other = None
        self._timer.stop()

    def _painted(self, atoms: Any) -> None:
        """Note where; a fill by a script tells before it writes, so nothing is read yet."""
        for atom in atoms:
            if self._boxes is not None:
                if hasattr(atom, "slice_key"):
                    self._boxes.append(atom.slice_key)
                else:
                    self._boxes = None
        self._start()

    def _replaced(self) -> None:
        self._boxes = None
        self._start()

    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_removed(self, event: Any) -> None:
        if event.value is self._mask or event.value is self._other:
            self.clear()
        else:
            super()._on_removed(event)
