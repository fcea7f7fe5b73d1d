"""Labels of any integer type as the bytes that a mask on disk holds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_TISSUE = 255
"""Stands for every label that a mask on disk cannot hold."""


def as_codes(voxels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a mask as uint8 (itself if it is); labels that are no byte become `NO_TISSUE`."""
    voxels = np.asarray(voxels)
    if voxels.dtype == np.uint8:
        return voxels
    fits = (voxels >= 0) & (voxels < NO_TISSUE)
    return np.where(fits, voxels, NO_TISSUE).astype(np.uint8)
