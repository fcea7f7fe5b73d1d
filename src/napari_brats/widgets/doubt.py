"""How sure a network was: the region probabilities that belong to a mask."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CaseError
from napari_brats.metrics.masks import bounding_box
from napari_brats.plugin.tags import LayerTag
from napari_brats.regions import REGIONS
from napari_brats.volumes import read_volume

KEY = "brats_doubt"
"""Where they lie in a mask's metadata."""

_SURE = 0.02


@dataclass(frozen=True, eq=False)
class Doubt:
    """Region probabilities where they are neither 0 nor 1.

    Parameters
    ----------
    maps : NDArray[np.float16], shape (3, X, Y, Z)
        Probabilities of WT, TC, ET in a box, in the file's own voxel order.
    start : tuple of int
        Where the box begins in the volume.
    """

    maps: NDArray[np.float16]
    start: tuple[int, int, int]

    @classmethod
    def of(cls, maps: NDArray[np.floating]) -> "Doubt":
        """Cut the probabilities, shape (3, X, Y, Z), to the box in which any is unsure."""
        unsure = np.any((maps > _SURE) & (maps < 1 - _SURE), axis=0)
        box = bounding_box(unsure)
        x, y, z = (part.start for part in box)
        return cls(np.array(maps[(slice(None), *box)], np.float16), (x, y, z))


def doubt_of(layer: Any) -> Doubt | None:
    """Return what is known of a mask's probabilities."""
    doubt = layer.metadata.get(KEY)
    return doubt if isinstance(doubt, Doubt) else None


def read_doubt(path: Path, tag: LayerTag) -> Doubt:
    """Read probabilities as ``segment --probabilities`` writes them.

    Parameters
    ----------
    path : Path
        4D NIfTI file, (X, Y, Z, 3).
    tag : LayerTag
        Of a mask of the patient.

    Raises
    ------
    CaseError
        If it cannot be read, lies on another grid, or holds no probabilities.
    """
    volume = read_volume(path, ndim=4)
    expected = (*tag.display.shape, len(REGIONS))
    if volume.data.shape != expected or not np.allclose(
        volume.affine, tag.display.affine, atol=1e-3
    ):
        raise CaseError(
            f"{str(path)!r} has shape {volume.data.shape} and is not on the grid of "
            f"{tag.case_id!r}, where {expected} was expected (WT, TC, ET); choose the file that "
            "segment --probabilities wrote for this patient"
        )
    low, high = float(volume.data.min()), float(volume.data.max())
    if not (low >= 0 and high <= 1):
        raise CaseError(
            f"{str(path)!r} reaches from {low:g} to {high:g}, but probabilities lie between 0 "
            "and 1; choose the file that segment --probabilities wrote"
        )
    return Doubt.of(np.moveaxis(volume.data, -1, 0))
