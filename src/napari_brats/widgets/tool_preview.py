"""What a tool would change, as a layer that is never painted on, scored, saved or kept."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_brats.editing.boxes import Box
from napari_brats.editing.codes import NO_TISSUE
from napari_brats.plugin.layers import tissue_appearance
from napari_brats.plugin.tags import PREVIEW
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.over_mask import OverMask

GONE = NO_TISSUE
"""Stands for voxels that become background."""
GONE_COLOR = "#ffffff"


class Preview(OverMask):
    """Shows one change at a time over a mask."""

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
        if self._fits(mask):
            self._layer.data[:] = voxels
            self._layer.refresh()
        else:
            self._add(mask, voxels, _look(mask))


def _look(mask: Any) -> dict[str, Any]:
    """Return the layer's keywords but for its place: the tissues' colors."""
    tag = replace(mask_tag(mask), role=PREVIEW, title=PREVIEW, path=None)
    appearance = tissue_appearance()
    return {
        "colormap": {**appearance["colormap"], GONE: GONE_COLOR},
        "name": f"preview of {mask.name}",
        "opacity": 1.0,
        "metadata": tag.metadata(),
    }
