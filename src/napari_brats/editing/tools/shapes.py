"""Grow, shrink and smooth masks, in millimeters whatever the voxels' shape."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.regions import REGIONS, Tissue, region_mask

_ROUNDING_MM = 1e-6
REACH_SIGMAS = 4.0
"""How far a Gaussian is followed."""


def grown(mask: NDArray[np.bool_], mm: float, spacing_mm: Sequence[float]) -> NDArray[np.bool_]:
    """Return the voxels whose centers lie within a distance of a mask's.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        Any mask, also an empty one.
    mm : float
        The distance.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    """
    if not mask.any():
        return mask.copy()
    away = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    near: NDArray[np.bool_] = away <= mm + _ROUNDING_MM
    return near


def shrunk(mask: NDArray[np.bool_], mm: float, spacing_mm: Sequence[float]) -> NDArray[np.bool_]:
    """Return a mask without the voxels that lie within a distance of what is not in it.

    Beyond the volume lies nothing, so that the volume's border takes nothing away; growing
    and then shrinking by the same distance therefore loses no voxel.
    """
    return ~grown(~mask, mm, spacing_mm)


def smoothed(
    mask: NDArray[np.bool_], sigma_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.bool_]:
    """Return where a mask has the majority in a Gaussian neighborhood.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        Any mask.
    sigma_mm : float
        Standard deviation of the neighborhood.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    """
    most: NDArray[np.bool_] = _blurred(mask, sigma_mm, spacing_mm) > np.float32(0.5)
    return most


def smoothed_tissues(
    tissues: NDArray[np.uint8], sigma_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.uint8]:
    """Smooth all tissues at once, so that no gap opens and none lies over another.

    The majority decides first between whole tumor and the rest, then inside it between core
    and edema, then inside the core. A larger region has the larger blurred mask at every
    voxel, so ET stays inside TC and TC inside WT.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    sigma_mm, spacing_mm
        As in `smoothed`.

    Returns
    -------
    NDArray[np.uint8], shape (X, Y, Z)
    """
    shares = {
        int(code): _blurred(tissues == code, sigma_mm, spacing_mm) for code in np.unique(tissues)
    }
    result = _strongest(shares, set(Tissue) - REGIONS["WT"].tissues, tissues.shape)
    inner = [*(REGIONS[name].tissues for name in ("TC", "ET")), frozenset[Tissue]()]
    for region, within in zip(REGIONS.values(), inner, strict=True):
        chosen = smoothed(region_mask(tissues, region.name), sigma_mm, spacing_mm)
        filling = _strongest(shares, region.tissues - within, tissues.shape)
        # Where only an inner region is near, a voxel of its rim keeps what it was.
        known = filling != Tissue.BACKGROUND
        result[chosen & known] = filling[chosen & known]
        kept = chosen & ~known & region_mask(tissues, region.name)
        result[kept] = tissues[kept]
    return result


def _blurred(
    mask: NDArray[np.bool_], sigma_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.float32]:
    sigmas = [sigma_mm / size for size in spacing_mm]
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(
        mask.astype(np.float32), sigmas, mode="nearest", truncate=REACH_SIGMAS
    )
    return blurred


def _strongest(
    shares: dict[int, NDArray[np.float32]],
    among: set[Tissue] | frozenset[Tissue],
    shape: Sequence[int],
) -> NDArray[np.uint8]:
    """Return which of some tissues has the largest share; background where none has any."""
    result = np.zeros(shape, np.uint8)
    best = np.zeros(shape, np.float32)
    for code, share in shares.items():
        if code in {int(tissue) for tissue in among}:
            result[share > best] = code
            np.maximum(best, share, out=best)
    return result
