"""Voxels that a stroke touched, to be looked at instead of painted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.widgets.painter import Band
from napari_brats.widgets.strokes import Place


class Sample:
    """Gathers what the dabs of a stroke touch, each voxel once.

    Parameters
    ----------
    shape : tuple of int
        The mask's.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._voxels: NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, place: Place, touched: NDArray[np.bool_]) -> None:
        """Take the touched voxels of a box."""
        starts = [part.start for part in place]
        indices = tuple(
            found + start for found, start in zip(np.nonzero(touched), starts, strict=True)
        )
        dab = np.ravel_multi_index(indices, self._shape)
        self._voxels = np.union1d(self._voxels, dab)

    @property
    def size(self) -> int:
        """How many voxels there are."""
        return self._voxels.size

    def values(self, bands: Sequence[Band]) -> list[NDArray[Any]]:
        """Return the intensities of the sample in each band's image."""
        indices = np.unravel_index(self._voxels, self._shape)
        return [np.asarray(band.layer.data)[indices] for band in bands]
