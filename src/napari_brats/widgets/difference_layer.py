"""The difference layer: where a mask and another disagree, while the mask is painted."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_brats.plugin.differences import ALL_REGIONS, difference_appearance, difference_codes
from napari_brats.plugin.tags import DIFFERENCE
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.opening import build_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_brats.widgets.edits import LayerEdits
    from napari_brats.widgets.strokes import Place

_PLACE = ("scale", "translate", "units", "axis_labels")

PAUSE_MS = 100
"""How long edits are gathered before the layer follows them."""


class DifferenceLayer:
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
        self._viewer, self._book, self._on_gone = viewer, book, on_gone
        self._mask: Any = None
        self._other: Any = None
        self._edits: list[LayerEdits] = []
        self._region = ALL_REGIONS
        self._boxes: list[Place] | None = []
        self._layer: Any = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.catch_up)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def layer(self) -> Any:
        """The layer, or None while nothing is shown."""
        return self._layer

    def close(self) -> None:
        """Take it away and let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.clear()

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
        if self._layer is None or self._layer.data.shape != mask.data.shape:
            self._take_away()
            self._add(mask)
        self._layer.metadata = tag.metadata()
        self._layer.name = f"difference: {mask.name} and {other.name}"
        self._boxes = None
        self.catch_up()

    def clear(self) -> None:
        """Take it away."""
        self._let_go()
        self._take_away()

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

    def _add(self, mask: Any) -> None:
        keywords = {
            **difference_appearance(),
            "opacity": 0.8,
            **{
                name: getattr(mask, name) for name in ("scale", "translate", "units", "axis_labels")
            },
            "metadata": replace(mask_tag(mask), role=DIFFERENCE, path=None).metadata(),
        }
        codes = difference_codes(mask.data, mask.data)
        layer = build_layer((codes, keywords, "labels"))
        layer.editable = False
        active = self._viewer.layers.selection.active
        self._layer = layer
        self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = active

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

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
        if self._layer is not None and event.value is self._layer:
            self.clear()
            self._on_gone()
        elif event.value is self._mask or event.value is self._other:
            self.clear()
