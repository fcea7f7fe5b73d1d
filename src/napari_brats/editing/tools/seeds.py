"""Grow from a seed through what looks like it, in several modalities at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.editing.tools.parts import without_holes

_NOISE_MM = 0.7
_SAMPLE_MM = 2.0
_TYPICAL = (16, 84)
"""Percentiles one standard deviation below and above the middle."""
_LEAST_SPREAD = 0.5
"""Part of the sphere's own spread that is added to the sample's, which is too small alone."""
_ROUNDS = 2
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

    A voxel belongs where its Mahalanobis distance from the sample around the seed, divided by
    the root of the number of modalities, is at most the tolerance, and where faces join it
    with the seed. The mean is then taken anew from what was found, as ITK's
    ``VectorConfidenceConnected`` does it; the spread is not, because it would grow with
    every voxel of another tissue. Noise is smoothed away before, pinholes are closed after.

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
        Standard deviations, on average over the modalities.
    open_to : NDArray[np.bool_], shape (X, Y, Z)
        Where it may grow at all; never where all modalities are 0, outside of the brain.

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
    values, brain = _denoised([image[box] for image in images], spacing_mm)
    away = _away_mm(values.shape[:3], inner, spacing_mm)
    reach = open_to[box] & brain & (away <= radius_mm)
    reach[inner] = True
    low, high = np.percentile(values[reach], _TYPICAL, axis=0)
    found = reach & (away <= max(_SAMPLE_MM, *spacing_mm))
    whiten = _whitening(values[found], _LEAST_SPREAD * (high - low) / 2)
    for _ in range(_ROUNDS):
        apart = (values - values[found].mean(axis=0, dtype=np.float64)) @ whiten
        alike = np.sqrt((apart**2).mean(axis=-1)) <= tolerance
        alike[inner] = True
        labels, _ = ndimage.label(reach & alike)
        found = labels == labels[inner]
    result[box] = without_holes(found, _PINHOLE_VOXELS) & reach
    return result


def _denoised(
    images: Sequence[NDArray[np.floating]], spacing_mm: Sequence[float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return smoothed modalities (X, Y, Z, C) and where any is not 0, which alone is mixed."""
    sigmas = [_NOISE_MM / size for size in spacing_mm]
    brain = np.logical_or.reduce([image != 0 for image in images])
    shares = ndimage.gaussian_filter(brain.astype(np.float32), sigmas)
    shares[~brain] = np.inf
    smooth = [ndimage.gaussian_filter(image.astype(np.float32), sigmas) for image in images]
    return np.stack([image / shares for image in smooth], axis=-1), brain


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


def _whitening(sample: NDArray[np.float32], floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what makes distances to a sample's mean (N, C) count in its own spread."""
    centered = sample - sample.mean(axis=0, dtype=np.float64)
    spread = centered.T @ centered / len(sample) + np.diag(np.maximum(floor**2, 1e-12))
    whiten: NDArray[np.float64] = np.linalg.cholesky(np.linalg.inv(spread))
    return whiten
