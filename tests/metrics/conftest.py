"""Pairs of masks that metrics get wrong, and plain references to compare with."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
SHAPE = (13, 11, 9)


def _blob(center: tuple[float, float, float], radius: float) -> Mask:
    grid = np.indices(SHAPE)
    away = sum((axis - at) ** 2 for axis, at in zip(grid, center, strict=True))
    return away <= radius**2


def _noise(share: float, seed: int) -> Mask:
    return np.random.default_rng(seed).random(SHAPE) < share


def _voxel(*at: int) -> Mask:
    mask = np.zeros(SHAPE, np.bool_)
    mask[at] = True
    return mask


def _plane(axis: int, at: int) -> Mask:
    mask = np.zeros(SHAPE, np.bool_)
    np.moveaxis(mask, axis, 0)[at] = True
    return mask


PAIRS: dict[str, Callable[[], tuple[Mask, Mask]]] = {
    "blobs": lambda: (_blob((6, 5, 4), 3.3), _blob((7, 6, 4), 3.0)),
    "dense noise": lambda: (_noise(0.5, 1), _noise(0.5, 2)),
    "sparse noise": lambda: (_noise(0.03, 3), _noise(0.05, 4)),
    "touching all borders": lambda: (_blob((6, 5, 4), 8), _blob((0, 0, 0), 6)),
    "one voxel each, far apart": lambda: (_voxel(0, 0, 0), _voxel(12, 10, 8)),
    "the same voxel": lambda: (_voxel(12, 0, 8), _voxel(12, 0, 8)),
    "full and one voxel": lambda: (np.ones(SHAPE, np.bool_), _voxel(6, 5, 4)),
    "full and full": lambda: (np.ones(SHAPE, np.bool_), np.ones(SHAPE, np.bool_)),
    "nested": lambda: (_blob((6, 5, 4), 2), _blob((6, 5, 4), 4)),
    "shell and core": lambda: (
        _blob((6, 5, 4), 4) & ~_blob((6, 5, 4), 3),
        _blob((6, 5, 4), 1),
    ),
    "planes on opposite borders": lambda: (_plane(2, 0), _plane(2, 8)),
    "islands": lambda: (
        _blob((2, 2, 2), 2) | _blob((10, 8, 6), 1.5) | _voxel(12, 0, 0),
        _blob((3, 2, 2), 2) | _blob((10, 4, 6), 1) | _voxel(0, 10, 8),
    ),
}


@pytest.fixture(params=PAIRS)
def masks(request: pytest.FixtureRequest) -> tuple[Mask, Mask]:
    """Return (prediction, reference), neither of them empty."""
    return PAIRS[request.param]()


@pytest.fixture(params=[(1.0, 1.0, 1.0), (0.5, 1.0, 3.0), (5.0, 0.7, 0.7)], ids=str)
def spacing(request: pytest.FixtureRequest) -> tuple[float, float, float]:
    """Return a voxel size in mm, isotropic and not."""
    return request.param
