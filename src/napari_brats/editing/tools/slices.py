"""Fill a mask between the slices in which it was drawn."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.metrics.masks import bounding_box


def between_slices(
    mask: NDArray[np.bool_], spacing_mm: Sequence[float], axis: int, widest_mm: float
) -> NDArray[np.bool_]:
    """Return a mask with the empty slices between drawn ones filled.

    The signed distances of both neighbors are mixed by the nearness of their slices (Raya and
    Udupa 1990, IEEE Trans. Med. Imaging 9:32-42). Where the two shapes do not overlap they are
    first moved so that their centers lie on the line between them: without that nothing is
    left in the middle.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        Drawn in some slices.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    axis : int
        Across the slices.
    widest_mm : float
        Drawn slices that are farther apart are not joined.

    Returns
    -------
    NDArray[np.bool_], shape (X, Y, Z)
        Contains the mask.
    """
    result = mask.copy()
    planes = np.moveaxis(result, axis, 0)
    in_plane = [size for number, size in enumerate(spacing_mm) if number != axis]
    drawn = np.flatnonzero(planes.any(axis=(1, 2))).tolist()
    for first, last in pairwise(drawn):
        if last - first > 1 and (last - first) * spacing_mm[axis] <= widest_mm:
            _, rows, columns = bounding_box(planes[[first, last]])
            gap = planes[first : last + 1, rows, columns]
            gap[1:-1] = _mixed(gap[0], gap[-1], len(gap) - 1, in_plane)
    return result


def _mixed(
    first: NDArray[np.bool_], last: NDArray[np.bool_], steps: int, spacing_mm: Sequence[float]
) -> NDArray[np.bool_]:
    """Return the shapes at the steps between two shapes, shape (steps - 1, A, B)."""
    near, far = (_signed_mm(shape, spacing_mm) for shape in (first, last))
    way = np.zeros(2)
    if not (first & last).any():
        way = np.array(ndimage.center_of_mass(last)) - ndimage.center_of_mass(first)
    found = []
    for step in range(1, steps):
        share = step / steps
        here, there = _moved(near, share * way), _moved(far, (share - 1) * way)
        found.append((1 - share) * here + share * there > 0)
    return np.array(found)


def _signed_mm(shape: NDArray[np.bool_], spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Return distances to a shape's outline, positive inside."""
    framed = np.pad(shape, 1)
    inside, outside = (
        ndimage.distance_transform_edt(part, sampling=spacing_mm) for part in (framed, ~framed)
    )
    signed: NDArray[np.float64] = (inside - outside)[1:-1, 1:-1]
    return signed


def _moved(distances: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    if not by.any():
        return distances
    moved: NDArray[np.float64] = ndimage.shift(
        distances, by, order=1, mode="constant", cval=float(distances.min())
    )
    return moved
