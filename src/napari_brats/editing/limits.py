"""What an edit may change: locks, a region to stay inside, windows of intensity.

Brush strokes and whole-volume tools ask the same question here before they write anything.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_brats.editing.codes import as_codes
from napari_brats.regions import Tissue

Tissues = frozenset[Tissue]


@dataclass(frozen=True, eq=False)
class Window:
    """Intensities of one image between two limits, both included.

    Parameters
    ----------
    image : NDArray, shape of the mask
        One modality, with the mask's axes.
    low, high : float
        In the image's own unit.
    """

    image: NDArray[Any]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Limits:
    """What an edit may change; without arguments, everything.

    Parameters
    ----------
    locks : tuple of frozenset of Tissue
        Each set keeps its voxels: none is taken from it and none is added. A lock on one
        tissue holds all its voxels; a lock on a region holds its outline, within which
        tissues may be told apart anew.
    inside : frozenset of Tissue or None
        What a voxel must be before the edit; None for anything.
    windows : tuple of Window
        Intensities that a voxel must have, in every one of them.

    Examples
    --------
    >>> mask = np.array([0, 2, 1, 3], np.uint8)
    >>> Limits(locks=(frozenset({Tissue.EDEMA}),)).allowed(mask, Tissue.NECROSIS)
    array([ True, False,  True,  True])
    """

    locks: tuple[Tissues, ...] = ()
    inside: Tissues | None = None
    windows: tuple[Window, ...] = ()

    def allowed(self, mask: NDArray[Any], wanted: ArrayLike, place: Any = ...) -> NDArray[np.bool_]:
        """Return which voxels may take the tissue that an edit wants for them.

        Parameters
        ----------
        mask : NDArray of integers
            The whole mask before the edit, `Tissue` codes.
        wanted : integers that broadcast to ``mask[place]``
            Tissue codes after it.
        place : index of ``mask``
            The voxels that are asked about: a boolean mask, a box of slices, a tuple of index
            arrays; by default all.

        Returns
        -------
        NDArray[np.bool_], shape of ``mask[place]``
            Also true where nothing would change, unless `inside` or a window forbids it.

        Raises
        ------
        ValueError
            If a window's image has another shape than the mask.
        """
        present = as_codes(mask[place])
        new = as_codes(np.asarray(wanted))
        allowed = np.ones(present.shape, np.bool_)
        for lock in self.locks:
            held = members(lock)
            allowed &= held[present] == held[new]
        if self.inside is not None:
            allowed &= members(self.inside)[present]
        for window in self.windows:
            if window.image.shape != mask.shape:
                raise ValueError(
                    f"the window's image has shape {window.image.shape}, the mask {mask.shape}; "
                    "both must lie on one grid"
                )
            values = window.image[place]
            allowed &= (values >= window.low) & (values <= window.high)
        return allowed


FREE = Limits()
"""No limit at all."""


def members(tissues: Tissues) -> NDArray[np.bool_]:
    """Return a table of 256: whether the tissue of a code is one of these."""
    table = np.zeros(256, np.bool_)
    table[[int(tissue) for tissue in tissues]] = True
    return table
