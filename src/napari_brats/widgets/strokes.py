"""Where every drawing tool of napari's labels layer can be stopped before it writes.

napari 0.9 sends brush, eraser, fill bucket, polygon and the encircling stroke through one
method, which takes the voxels that a tool touched, writes those that differ and notes them
in the history. What is put in its place here narrows the voxels first, so that history,
scores and journal only ever see what really changed, and one stroke stays one undo step.
`data_setitem`, undo and redo do not come this way: they are exact.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

Place = tuple[slice, ...]
Pass = tuple[NDArray[np.bool_], int]
Narrow = Callable[[Any, Place, NDArray[np.bool_], int], Pass | None]
"""Gets the layer, a box of it, the voxels touched there and the label; returns what to write."""

_METHOD = "_paint_region_with_mask"
_PARAMETERS = ("slice_key", "mask", "new_label", "dims_to_paint", "refresh", "region_data")


def can_narrow() -> bool:
    """Return whether this napari draws in the one place that is known here."""
    from napari.layers import Labels

    method = getattr(Labels, _METHOD, None)
    return method is not None and tuple(signature(method).parameters)[1:] == _PARAMETERS


def narrow_strokes(layer: Any, narrow: Narrow) -> Callable[[], None]:
    """Let a function decide what the drawing tools write into a layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    narrow : callable
        As in `Narrow`; the voxels have the layer's dimensions. None writes nothing.

    Returns
    -------
    callable
        Gives the layer its own way back.
    """
    held, plain = ref(layer), getattr(type(layer), _METHOD)

    def paint(
        slice_key: Place,
        mask: NDArray[np.bool_],
        new_label: int,
        dims_to_paint: list[int],
        refresh: bool = True,
        region_data: NDArray[Any] | None = None,
    ) -> None:
        layer = held()
        if layer is None:
            return
        still = tuple(axis for axis in range(layer.ndim) if axis not in dims_to_paint)
        found = narrow(layer, slice_key, np.expand_dims(mask, still), int(new_label))
        if found is not None:
            voxels, label = found
            plain(
                layer, slice_key, voxels.squeeze(still), label, dims_to_paint, refresh, region_data
            )

    setattr(layer, _METHOD, paint)
    return lambda: vars(layer).pop(_METHOD, None)
