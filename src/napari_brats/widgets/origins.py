"""Masks as they came: the untouched prediction that edits are compared with."""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.codes import as_codes
from napari_brats.metrics.masks import Box, bounding_box

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_brats.widgets.mask_book import MaskBook

_kept: "WeakKeyDictionary[Labels, tuple[Box, NDArray[np.uint8]]]" = WeakKeyDictionary()
"""The part of each mask that was not empty; outlives a dock that is closed."""


def keep_origins(book: "MaskBook") -> None:
    """Keep every mask of a book as it is when it comes, from now on."""
    for layer in book.masks():
        keep_origin(layer)
    book.on_taken.append(keep_origin)


def keep_origin(layer: Any, voxels: NDArray[Any] | None = None) -> None:
    """Keep a mask as it is now, or other voxels in its place; what is kept already stays.

    Parameters
    ----------
    layer : napari.layers.Labels
        The mask.
    voxels : NDArray of integers, optional
        In display order: what the mask was before it was corrected and saved.
    """
    if layer not in _kept:
        codes = as_codes(layer.data if voxels is None else voxels)
        box = bounding_box(codes != 0)
        _kept[layer] = box, codes[box].copy()


def origin_of(layer: Any) -> NDArray[np.uint8] | None:
    """Return a mask as it came, in tissue codes and a new array; None if it is not known.

    That is as its model made it, also where the corrected mask was saved and opened again; a
    mask of other origin came as it was when it was first opened here.
    """
    kept = _kept.get(layer)
    if kept is None:
        return None
    box, part = kept
    voxels = np.zeros(layer.data.shape, np.uint8)
    if voxels[box].shape != part.shape:  # another volume was assigned meanwhile
        return None
    voxels[box] = part
    return voxels
