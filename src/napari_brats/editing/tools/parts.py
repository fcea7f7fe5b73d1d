"""Separate parts of a mask, and the holes in it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.metrics.lesions import Lesions


def without_islands(mask: NDArray[np.bool_], least_voxels: float) -> NDArray[np.bool_]:
    """Return a mask without its parts that are smaller than so many voxels.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        Parts that touch at a face, an edge or a corner are one, as lesions are counted.
    least_voxels : float
        A part with fewer goes.
    """
    parts = Lesions.of(mask)
    result = mask.copy()
    for number in parts.numbers:
        if parts.size(number) < least_voxels:
            result.flat[parts.voxels[parts.ends[number - 1] : parts.ends[number]]] = False
    return result


def without_holes(mask: NDArray[np.bool_], most_voxels: float) -> NDArray[np.bool_]:
    """Return a mask with its holes of at most so many voxels filled.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        A hole is what is not in the mask and is joined through faces neither with the
        array's border nor with another hole.
    most_voxels : float
        A larger hole stays.
    """
    labels, count = ndimage.label(~mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    small = sizes <= most_voxels
    small[0] = False
    for axis in range(mask.ndim):
        for side in (0, -1):
            small[np.unique(labels.take(side, axis=axis))] = False
    filled: NDArray[np.bool_] = mask | small[labels]
    return filled
