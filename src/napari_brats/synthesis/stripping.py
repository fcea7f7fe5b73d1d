"""What skull stripping leaves of a head: the closed brain, with CSF in its fissures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def closed_brain(
    solid: NDArray[np.bool_],
    spacing_mm: tuple[float, ...],
    *,
    closing_mm: float = 7.0,
    margin_mm: float = 1.0,
) -> NDArray[np.bool_]:
    """Close a brain over its sulci and grow it by a margin.

    Parameters
    ----------
    solid : NDArray[np.bool_], shape (X, Y, Z)
        Brain tissue without CSF; only its largest connected part counts.
    spacing_mm : tuple of float
        Voxel size.
    closing_mm : float
        Gaps narrower than twice this are filled.
    margin_mm : float
        How much CSF stays around the closed brain.
    """
    parts, count = ndimage.label(solid)
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        solid = parts == sizes.argmax()
    pad = int(np.ceil(closing_mm / min(spacing_mm))) + 2
    padded = np.pad(solid, pad)
    grown = ndimage.distance_transform_edt(~padded, sampling=spacing_mm) <= closing_mm
    depth = ndimage.distance_transform_edt(grown, sampling=spacing_mm)
    closed: NDArray[np.bool_] = ndimage.binary_fill_holes(depth > closing_mm - margin_mm)
    return closed[(slice(pad, -pad),) * 3]


def fissures(sheets: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the voxels of each sheet that touch another one.

    Label maps draw the two hemispheres and the cerebellum in direct contact; falx and
    tentorium lie there, which tumors do not cross.
    """
    grown = [ndimage.binary_dilation(sheet) for sheet in sheets]
    border = np.zeros_like(sheets[0])
    for index, sheet in enumerate(sheets):
        for other, spread in enumerate(grown):
            if other != index:
                border |= sheet & spread
    return border
