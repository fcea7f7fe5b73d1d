"""`Brain`: one posed healthy brain on the patient's grid, in which a tumor can grow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.synthesis.anatomy import CLASSES, Spacing

Box = tuple[slice, slice, slice]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Brain:
    """A healthy brain on its grid.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        Where there is brain; axes point LPS.
    fractions : NDArray[np.float32], shape (7, X, Y, Z)
        Share of each of `CLASSES`, 0-1; they add up to 1 inside the mask, to 0 outside.
    spacing_mm : tuple of float
        Voxel size.
    """

    mask: NDArray[np.bool_]
    fractions: NDArray[np.float32]
    spacing_mm: Spacing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along X, Y, Z."""
        x, y, z = self.mask.shape
        return x, y, z

    def share(self, name: str) -> NDArray[np.float32]:
        """Return the fraction of one of `CLASSES`, shape (X, Y, Z)."""
        out: NDArray[np.float32] = self.fractions[CLASSES.index(name)]
        return out

    def cut(self, box: Box) -> "Brain":
        """Return the part inside a box, without copying."""
        return Brain(self.mask[box], self.fractions[(slice(None), *box)], self.spacing_mm)


def box_around(
    center: Point, reach_mm: float, brain_shape: tuple[int, ...], spacing: Spacing
) -> Box:
    """Return the box of ``reach_mm`` around a voxel, cut to the grid."""
    x, y, z = (
        slice(max(int(at - reach_mm / step), 0), min(int(at + reach_mm / step) + 2, size))
        for at, step, size in zip(center, spacing, brain_shape, strict=True)
    )
    return x, y, z


def offsets_mm(box: Box, center: Point, spacing: Spacing) -> list[NDArray[np.float64]]:
    """Return the distance of each voxel of a box from a voxel, per axis, broadcastable."""
    axes = [
        (np.arange(side.start, side.stop) - at) * step
        for side, at, step in zip(box, center, spacing, strict=True)
    ]
    return list(np.meshgrid(*axes, indexing="ij", sparse=True))
