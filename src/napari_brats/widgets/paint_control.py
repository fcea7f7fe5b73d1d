"""Ties the Paint panel to the masks: brushes, paint or erase, keys, and what strokes write."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.brushes import Brush
from napari_brats.regions import Tissue, label_convention
from napari_brats.widgets.band_control import BandControl
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.paint_keys import BRUSH_KEYS, HELP_KEY
from napari_brats.widgets.paint_panel import PaintPanel, place_names
from napari_brats.widgets.painter import Painter
from napari_brats.widgets.strokes import Pass, Place, can_narrow, narrow_strokes

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_brats.widgets.edits import LayerEdits

_DRAWING = ("paint", "erase", "fill", "polygon")
SAMPLING = "The next stroke paints nothing: it is the sample."
TOO_NEW = "This napari draws in a way that is not known here: strokes follow no rules."


class PaintControl:
    """Lets every mask of a book be painted by the rules of the panel.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Holds the masks and the images that windows are set on.
    book : MaskBook
        Knows the masks.
    panel : PaintPanel
        The view.
    defer : callable
        Runs a function soon, after the event at hand.
    in_use : callable
        Whether the panel is in a window; a dock that was closed changes no stroke.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        book: MaskBook,
        panel: PaintPanel,
        defer: Callable[[Callable[[], None]], None],
        in_use: Callable[[], bool],
    ) -> None:
        self._book, self._panel, self._defer, self._in_use = book, panel, defer, in_use
        self.painter = Painter()
        self.bands = BandControl(viewer, panel, self.painter)
        self._mask: Any = None
        self._setting_label = False
        self._freed: dict[Any, list[Callable[[], Any]]] = {}
        self.painter.on_change.append(self._show)
        self._connect()
        self._fits = can_narrow()
        panel.setVisible(False)
        for layer in book.masks():
            self._take(layer)

    def close(self) -> None:
        """Give every mask its own way of painting back."""
        self._book.on_taken.remove(self._take)
        self._book.on_gone.remove(self._leave)
        self.bands.close()
        for layer in list(self._freed):
            self._free(layer)

    def choose(self, layer: "Labels | None") -> None:
        """Show the brushes of a mask's edition, and windows of its patient."""
        self._mask = layer
        self._panel.setVisible(layer is not None)
        self.bands.choose(layer)
        if layer is None:
            return
        self.painter.begin(label_convention(mask_tag(layer).convention))
        if self.painter.brush is None:
            self.painter.choose(self.painter.row_of(layer.selected_label or Tissue.NECROSIS))
        self._set_label(layer)

    def _connect(self) -> None:
        panel = self._panel
        self._book.on_taken.append(self._take)
        self._book.on_gone.append(self._leave)
        panel.way_chosen.connect(self._choose_way)
        panel.erase_chosen.connect(self._choose_erasing)
        panel.brushes.chosen.connect(self._choose_brush)
        panel.brushes.locked.connect(self.painter.lock)
        panel.inside_chosen.connect(self.painter.stay_inside)
        panel.sample_toggled.connect(self._on_sample)

    def _take(self, layer: "Labels") -> None:
        """Make a mask follow the rules and the keys."""
        freed: list[Callable[[], Any]] = []
        if self._fits:
            freed.append(narrow_strokes(layer, self._narrow))
        signals = (layer.events.selected_label, layer.events.mode)
        for signal, slot in zip(signals, (self._on_label, self._on_mode), strict=True):
            signal.connect(slot)
            freed.append(partial(signal.disconnect, slot))
        layer.mouse_drag_callbacks.append(self.bands.on_drag)
        freed.append(partial(layer.mouse_drag_callbacks.remove, self.bands.on_drag))
        actions = [partial(self._choose_place, place) for place in range(len(BRUSH_KEYS))]
        for key, action in zip(BRUSH_KEYS, actions, strict=True):
            layer.bind_key(key, lambda _, action=action: action())
            freed.append(partial(layer.bind_key, key, None))
        layer.bind_key(HELP_KEY, lambda _: self._panel.keys.show_keys())
        freed.append(partial(layer.bind_key, HELP_KEY, None))
        self._freed[layer] = freed

    def _leave(self, layer: "Labels", edits: "LayerEdits") -> None:
        self._free(layer)
        if layer is self._mask:
            self.choose(None)

    def _free(self, layer: "Labels") -> None:
        for undo in self._freed.pop(layer, ()):
            undo()

    def _narrow(
        self, layer: Any, place: Place, touched: NDArray[np.bool_], label: int
    ) -> Pass | None:
        if not self._in_use():
            return touched, label
        if self.bands.sampling:
            self.bands.add(place, touched)
            return None
        return self.painter.narrow(layer, place, touched, label)

    @property
    def erasing(self) -> bool:
        """Whether the next stroke on the chosen mask takes away."""
        return self._mask is not None and (
            self._mask.selected_label == Tissue.BACKGROUND or self._mask.mode == "erase"
        )

    def _choose_way(self, regions: bool) -> None:
        self.painter.paint_regions(regions)
        self._set_label(self._mask)

    def _choose_brush(self, row: Brush) -> None:
        self.painter.choose(row)
        self._set_label(self._mask)
        self._draw()

    def _choose_place(self, place: int) -> None:
        if place < len(self.painter.rows):
            self._choose_brush(self.painter.rows[place])

    def _choose_erasing(self, erase: bool) -> None:
        layer = self._mask
        if erase == self.erasing:
            return
        if not erase and layer.mode == "erase":
            layer.mode = "paint"
        if (layer.selected_label == Tissue.BACKGROUND) != erase:
            layer.swap_selected_and_background_labels()
        self._draw()

    def _on_sample(self, on: bool) -> None:
        if on:
            self._draw()
        self._show()

    def _draw(self) -> None:
        """Take up the brush unless a drawing tool is in use."""
        if self._mask is not None and self._mask.mode not in _DRAWING:
            self._mask.mode = "paint"

    def _set_label(self, layer: Any) -> None:
        """Give a layer the label of the brush, behind the background while erasing."""
        if layer is None or self.painter.brush is None:
            return
        erasing = layer.selected_label == Tissue.BACKGROUND
        self._setting_label = True
        layer.selected_label = int(self.painter.brush.becomes)
        if erasing:
            layer.selected_label = int(Tissue.BACKGROUND)
        self._setting_label = False
        self._show()

    def _on_label(self, event: Any) -> None:
        """Follow the label that was set with napari's own tools."""
        layer, brush = event.source, self.painter.brush
        if self._setting_label or layer is not self._mask:
            return
        label = layer.selected_label
        if label == Tissue.BACKGROUND and layer.mode == "erase":
            self._defer(partial(self._stop_erasing, layer))
        elif label != Tissue.BACKGROUND and (brush is None or label != brush.becomes):
            self.painter.choose(self.painter.row_of(label))
        self._show()

    def _stop_erasing(self, layer: Any) -> None:
        """Swap with X from napari's eraser, which erases whatever the label is."""
        if layer.mode == "erase" and layer.selected_label == Tissue.BACKGROUND:
            layer.swap_selected_and_background_labels()
            layer.mode = "paint"

    def _on_mode(self, event: Any) -> None:
        if event.source is self._mask:
            self._show()

    def _show(self) -> None:
        panel, painter = self._panel, self.painter
        keys = [key.replace("Control-", "Ctrl+") for key in BRUSH_KEYS]
        panel.brushes.show_rows(painter.rows, keys)
        panel.brushes.show_chosen(painter.brush.name if painter.brush else "")
        panel.brushes.show_locks(painter.locks)
        panel.show_places(place_names(list(painter.sets())), painter.inside)
        (panel.regions if painter.regions else panel.tissues).setChecked(True)
        (panel.erase if self.erasing else panel.paint).setChecked(True)
        for histogram, band in zip(panel.histograms, painter.bands, strict=False):
            histogram.show_window(band.low, band.high, band.words or f"{band.title} any")
        if not self._fits or self.bands.sampling:
            panel.show_summary(SAMPLING if self._fits else TOO_NEW, "")
        else:
            panel.show_summary(painter.summary(erasing=self.erasing), painter.conditions())
