"""Let a mask become as another one is in a place, in one step of its history."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.codes import as_codes
from napari_brats.editing.disagreements import Place
from napari_brats.editing.limits import Limits
from napari_brats.editing.tools.work import Work, settle
from napari_brats.metrics.masks import bounding_box
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.tool_apply import apply_box
from napari_brats.widgets.tool_work import CHANGED_MEANWHILE

FORBIDDEN = "A lock, Inside or Values forbids it here; nothing was changed."
PARTLY = "A lock, Inside or Values forbids part of it: what is left is a place of its own."


def take(mask: Any, other: NDArray[np.uint8], place: Place, limits: Limits) -> str:
    """Write the other mask's tissues in a place, as far as the limits allow.

    Parameters
    ----------
    mask : napari.layers.Labels
        A.
    other : NDArray[np.uint8]
        B, in display order.
    place : Place
        In the file's voxel order.
    limits : Limits
        What may change.

    Returns
    -------
    str
        Why not all of it was taken; empty if it was.
    """
    display = mask_tag(mask).display
    where = np.zeros(display.shape, np.bool_)
    where.flat[place.voxels] = True
    shown = display.to_display(where)
    box = bounding_box(np.ascontiguousarray(shown))
    codes = as_codes(mask.data)
    wanted = np.where(shown[box], other[box], codes[box])
    work = Work(codes, tuple(float(size) for size in mask.scale), limits=limits).at(box)
    change = settle(work, wanted)
    if change is None:
        return FORBIDDEN
    asked = int(np.count_nonzero(wanted != codes[box]))
    if not apply_box(mask, change):
        return CHANGED_MEANWHILE
    return "" if int(np.count_nonzero(change.old != change.new)) == asked else PARTLY
