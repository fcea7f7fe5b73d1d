"""Make a tool's change on a labels layer, in one step of napari's history."""

from typing import Any

import numpy as np

from napari_brats.editing.boxes import Box


def apply_box(layer: Any, box: Box) -> bool:
    """Write a box as one step that undo takes back.

    Indices are kept in the smallest type that holds them: napari keeps them with its
    history, and 64-bit ones take five times the room.

    Parameters
    ----------
    layer : napari.layers.Labels
        A mask.
    box : Box
        With the mask's axes.

    Returns
    -------
    bool
        Whether it was written; a mask that no longer holds the old values is left alone.
    """
    if not np.array_equal(layer.data[box.place], box.old):
        return False
    changed = box.old != box.new
    smallest = np.min_scalar_type(max(layer.data.shape))
    indices = tuple(
        (along + first).astype(smallest)
        for along, first in zip(np.nonzero(changed), box.start, strict=True)
    )
    with layer.block_history():
        layer.data_setitem(indices, box.new[changed].astype(layer.data.dtype))
    return True
