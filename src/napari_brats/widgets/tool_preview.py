"""What a tool would change, as a layer that is never painted on, scored, saved or kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.editing.boxes import Box
from napari_brats.editing.codes import NO_TISSUE
from napari_brats.plugin.layers import tissue_appearance
from napari_brats.plugin.tags import PREVIEW
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.opening import build_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel

GONE = NO_TISSUE
"""Stands for voxels that become background."""
GONE_COLOR = "#ffffff"


class Preview:
    """Shows one change at a time over a mask.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where it is shown.
    on_gone : callable
        Called when a person takes the layer away.
    """

    def __init__(self, viewer: "ViewerModel", on_gone: Callable[[], None]) -> None:
        self._viewer = viewer
        self._on_gone = on_gone
        self._layer: Any = None
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def layer(self) -> Any:
        """The layer, or None while nothing is shown."""
        return self._layer

    def close(self) -> None:
        """Take it away and let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.clear()

    def show(self, mask: Any, box: Box) -> None:
        """Show a change; each voxel in the color of what it becomes, white for background.

        Parameters
        ----------
        mask : napari.layers.Labels
            What would be changed; stays the active layer.
        box : Box
            With the mask's axes.
        """
        becomes = np.where(box.new == 0, GONE, box.new)
        voxels = np.zeros(mask.data.shape, np.uint8)
        voxels[box.place] = np.where(box.new != box.old, becomes, 0)
        if self._layer is not None and self._layer.data.shape == voxels.shape:
            # Taking a layer away and adding another costs napari a fifth of a second.
            self._layer.data[:] = voxels
            self._layer.refresh()
            return
        self.clear()
        layer = build_layer((voxels, _look(mask), "labels"))
        layer.editable = False
        active = self._viewer.layers.selection.active
        self._layer = self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = active

    def clear(self) -> None:
        """Take it away."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _on_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._layer = None
            self._on_gone()


def _look(mask: Any) -> dict[str, Any]:
    """Return the layer's keywords: the mask's place, the tissues' colors."""
    tag = replace(mask_tag(mask), role=PREVIEW, title=PREVIEW, path=None)
    appearance = tissue_appearance()
    return {
        "colormap": {**appearance["colormap"], GONE: GONE_COLOR},
        "name": f"preview of {mask.name}",
        "opacity": 1.0,
        "metadata": tag.metadata(),
        **{name: getattr(mask, name) for name in ("scale", "translate", "units", "axis_labels")},
    }
