"""Masks as outlines instead of fills, and back, with one key."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_brats.plugin.tags import MASK, REFERENCE, tag_of
from napari_brats.widgets.paint_keys import OUTLINES_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

OUTLINE_VOXELS = 1


class Outlines:
    """Draws every mask and reference of a viewer as outlines while it is on.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Masks that come later follow.
    on_change : callable
        Takes whether it is on, after each change.
    """

    def __init__(self, viewer: "ViewerModel", on_change: Callable[[bool], None]) -> None:
        self._viewer, self._on_change = viewer, on_change
        self.on = False
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.bind_key(OUTLINES_KEY, self._toggle, overwrite=True)

    def close(self) -> None:
        """Let go of the viewer and its key; masks stay as they look."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.bind_key(OUTLINES_KEY, None, overwrite=True)

    def show(self, on: bool) -> None:
        """Draw outlines, or fills again."""
        if on == self.on:
            return
        self.on = on
        for layer in self._viewer.layers:
            self._draw(layer)
        self._on_change(on)

    def _toggle(self, viewer: Any = None) -> None:
        self.show(not self.on)

    def _draw(self, layer: Any) -> None:
        tag = tag_of(layer.metadata)
        if tag is not None and tag.role in (MASK, REFERENCE):
            layer.contour = OUTLINE_VOXELS if self.on else 0

    def _on_inserted(self, event: Any) -> None:
        if self.on:
            self._draw(event.value)
