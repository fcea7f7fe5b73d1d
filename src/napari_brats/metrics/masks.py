"""`MaskPair`: two masks of one region, cut to the box that holds both.

Everything that costs time per voxel happens in this box, with voxels numbered along its
flattened grid: most of a head is neither tumor nor mistake.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MARGIN = 3
"""Empty voxels around the box: neighbors can be looked up without leaving the grid."""

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class MaskPair:
    """A prediction and a reference of one region, on the part of the grid that matters.

    Parameters
    ----------
    prediction, reference : NDArray[np.bool_], shape (X, Y, Z)
        C order; the outer `MARGIN` layers are empty.
    spacing_mm : tuple of float
        Voxel size along X, Y, Z.
    origin : tuple of int
        Voxel of the whole volume at the box's voxel (0, 0, 0).
    """

    prediction: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    origin: tuple[int, int, int]

    @classmethod
    def cropped(
        cls,
        prediction: NDArray[np.bool_],
        reference: NDArray[np.bool_],
        spacing_mm: NDArray[np.floating] | tuple[float, float, float],
    ) -> "MaskPair":
        """Cut two whole masks, shape (X, Y, Z), to the box that holds both."""
        box = bounding_box(prediction | reference)
        x, y, z = (float(size) for size in spacing_mm)
        return cls(
            padded(prediction, box),
            padded(reference, box),
            (x, y, z),
            (box[0].start - MARGIN, box[1].start - MARGIN, box[2].start - MARGIN),
        )

    def moved(self, by: tuple[int, int, int]) -> "MaskPair":
        """Return the pair as part of a volume whose box begins at the voxel ``by``."""
        x, y, z = (at + step for at, step in zip(self.origin, by, strict=True))
        return replace(self, origin=(x, y, z))

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel."""
        x, y, z = self.spacing_mm
        return x * y * z

    @cached_property
    def scratch(self) -> NDArray[np.bool_]:
        """A flat, empty grid to mark voxels in; whoever uses it leaves it empty."""
        return np.zeros(self.prediction.size, np.bool_)

    def voxels(self, flat: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return flat indices of the box as its (N, 3) voxel indices."""
        return np.stack(np.unravel_index(flat, self.prediction.shape), axis=-1)


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """Return the smallest box around all True voxels; an empty one if there is none.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        In C or Fortran order.
    """
    if mask.flags.f_contiguous and not mask.flags.c_contiguous:
        x, y, z = bounding_box(mask.T)
        return z, y, x
    # Whole planes are joined first: that runs along the memory.
    join = np.logical_or.reduce
    plane = join(mask, axis=0)
    y, z = _extent(join(plane, axis=1)), _extent(join(plane, axis=0))
    return _extent(join(mask[:, y, z], axis=(1, 2))), y, z


def padded(array: NDArray[np.generic], box: Box) -> NDArray[np.bool_]:
    """Return the part of a mask in a box with `MARGIN` empty layers around, in C order."""
    part = array[box]
    grid = np.zeros([size + 2 * MARGIN for size in part.shape], array.dtype)
    inner = slice(MARGIN, -MARGIN)
    grid[inner, inner, inner] = part
    return grid


def _extent(line: NDArray[np.bool_]) -> slice:
    found = np.flatnonzero(line)
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)
