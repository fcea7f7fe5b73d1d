"""Grow from a seed through what looks like it, in several modalities at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.editing.tools.parts import without_holes
from napari_brats.metrics.lesions import TOUCHING

_NOISE_MM = 0.7
_SAMPLE_MM = 2.0
_ROUNDS = 3
_LEAST_SPREAD = 0.1
"""Part of the box's own spread below which a sample's is not trusted: it may be flat."""
_PINHOLE_VOXELS = 27


def grow_from_seed(
    images: Sequence[NDArray[np.floating]],
    seed: tuple[int, int, int],
    spacing_mm: Sequence[float],
    *,
    radius_mm: float,
    tolerance: float,
    open_to: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return the voxels joined with a seed that look like its surroundings.

    Mean and covariance of the modalities are taken near the seed, then of what was found,
    and so on; a voxel belongs where its Mahalanobis distance is at most the tolerance. This
    is confidence-connected growing, as ITK's ``VectorConfidenceConnected`` does it, in a
    sphere, with noise smoothed away before and pinholes closed after.

    Parameters
    ----------
    images : sequence of NDArray, shape (X, Y, Z)
        One or more modalities on one grid, any units.
    seed : tuple of int
        A voxel.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    radius_mm : float
        Nothing farther from the seed is taken.
    tolerance : float
        Standard deviations.
    open_to : NDArray[np.bool_], shape (X, Y, Z)
        Where it may grow at all.

    Returns
    -------
    NDArray[np.bool_], shape (X, Y, Z)
        Empty if the seed itself is not open.
    """
    result = np.zeros(open_to.shape, np.bool_)
    if not open_to[seed]:
        return result
    reaches = [int(radius_mm / size) for size in spacing_mm]
    box = tuple(
        slice(max(0, at - reach), at + reach + 1) for at, reach in zip(seed, reaches, strict=True)
    )
    inner = tuple(at - part.start for at, part in zip(seed, box, strict=True))
    sigmas = [_NOISE_MM / size for size in spacing_mm]
    values = np.stack(
        [ndimage.gaussian_filter(image[box].astype(np.float32), sigmas) for image in images],
        axis=-1,
    )
    away = _away_mm(values.shape[:3], inner, spacing_mm)
    reach = open_to[box] & (away <= radius_mm)
    floor = (_LEAST_SPREAD * values[reach].std(axis=0)) ** 2
    found = reach & (away <= max(_SAMPLE_MM, *spacing_mm))
    for _ in range(_ROUNDS):
        alike = _distance(values, values[found], floor) <= tolerance
        alike[inner] = True
        labels, _ = ndimage.label(reach & alike, TOUCHING)
        found = labels == labels[inner]
    result[box] = without_holes(found, _PINHOLE_VOXELS) & reach
    return result


def _away_mm(
    shape: Sequence[int], place: Sequence[int], spacing_mm: Sequence[float]
) -> NDArray[np.float64]:
    """Return each voxel's distance to one of them."""
    along = [
        (np.arange(size) - at) * step
        for size, at, step in zip(shape, place, spacing_mm, strict=True)
    ]
    squares = np.ix_(*(axis**2 for axis in along))
    away: NDArray[np.float64] = np.sqrt(squares[0] + squares[1] + squares[2])
    return away


def _distance(
    values: NDArray[np.float32], sample: NDArray[np.float32], floor: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the Mahalanobis distance of values (X, Y, Z, C) to a sample (N, C)."""
    mean = sample.mean(axis=0, dtype=np.float64)
    centered = sample - mean
    spread = centered.T @ centered / len(sample) + np.diag(np.maximum(floor, 1e-12))
    whiten = np.linalg.cholesky(np.linalg.inv(spread))
    distance: NDArray[np.float64] = np.linalg.norm((values - mean) @ whiten, axis=-1)
    return distance
