"""Windows: cutting a volume into cubes or slices and blending the pieces without a seam.

A network sees one window at a time. Where windows overlap, their logits are mixed with
Gaussian weights that add up to 1 at every voxel, so that a network that looks at one voxel
at a time gives the same as on the whole volume.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

DEFAULT_OVERLAP = 0.25
_SIGMA_PER_SIDE = 1 / 8
_SMALLEST_WEIGHT = 1e-3

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Window:
    """One piece of the padded volume.

    Parameters
    ----------
    region : tuple of slice
        Along X, Y, Z.
    weights : tuple of NDArray[np.float32]
        The blending weights along X, Y and Z; their outer product is the window's.
    """

    region: tuple[slice, slice, slice]
    weights: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class WindowPlan:
    """How a volume is cut: iterate over it for the windows.

    Parameters
    ----------
    shape : tuple of int
        The volume (X, Y, Z).
    padded : tuple of int
        The volume after padding at the ends, which the windows cover.
    window : tuple of int
        One window (X, Y, Z); Z is 1 for slices.
    starts : tuple of tuple of int
        First voxels of the windows along X, Y and Z.
    ndim : int
        2 for slices, 3 for cubes.
    """

    shape: Shape
    padded: Shape
    window: Shape
    starts: tuple[tuple[int, ...], ...]
    ndim: int

    def __len__(self) -> int:
        x, y, z = (len(starts) for starts in self.starts)
        return x * y * z

    def __iter__(self) -> Iterator[Window]:
        weights = [
            axis_weights(size, side, starts)
            for size, side, starts in zip(self.padded, self.window, self.starts, strict=True)
        ]
        numbers = [range(len(starts)) for starts in self.starts]
        for z, x, y in product(numbers[2], numbers[0], numbers[1]):  # slice by slice
            x_first, y_first, z_first = (self.starts[axis][n] for axis, n in enumerate((x, y, z)))
            region = (
                slice(x_first, x_first + self.window[0]),
                slice(y_first, y_first + self.window[1]),
                slice(z_first, z_first + self.window[2]),
            )
            yield Window(region, (weights[0][x], weights[1][y], weights[2][z]))


def plan_windows(
    shape: Shape,
    window: int | None,
    *,
    multiple: int,
    ndim: int,
    overlap: float = DEFAULT_OVERLAP,
) -> WindowPlan:
    """Plan how to cut a volume, with as few windows as the overlap allows.

    Parameters
    ----------
    shape : tuple of int
        The volume (X, Y, Z).
    window : int or None
        Longest side of a window in voxels, rounded up to the multiple; None for the whole
        volume (or whole slices) at once.
    multiple : int
        What the network's input sizes are multiples of; the volume is padded accordingly.
    ndim : int
        2 cuts slices along Z, 3 cuts cubes.
    overlap : float
        Share of a window, from 0 to below 1, that neighbors have in common at least.

    Raises
    ------
    ValueError
        If the overlap or the window is out of range.
    """
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap must be at least 0 and below 1, got {overlap!r}")
    if window is not None and window < 1:
        raise ValueError(f"window must be at least 1 voxel, got {window!r}")
    padded, sides, starts = [], [], []
    for axis, size in enumerate(shape):
        through = ndim == 2 and axis == 2
        whole = size if through else round_up(size, multiple)
        side = 1 if through else min(whole, round_up(window or whole, multiple))
        padded.append(whole)
        sides.append(side)
        starts.append(_starts(whole, side, 0.0 if through else overlap))
    x, y, z = padded
    return WindowPlan(shape, (x, y, z), (sides[0], sides[1], sides[2]), tuple(starts), ndim)


def round_up(size: int, multiple: int) -> int:
    """Return the smallest multiple that is at least ``size``."""
    return -(-size // multiple) * multiple


def _starts(size: int, side: int, overlap: float) -> tuple[int, ...]:
    step = max(1, int(side * (1 - overlap)))
    count = -(-(size - side) // step) + 1
    return tuple(round(start) for start in np.linspace(0, size - side, count).tolist())


def axis_weights(size: int, side: int, starts: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the blending weights along one axis, shape (windows, side).

    Gaussian around each window's middle and normalized: at each of the ``size`` voxels the
    weights of the windows that cover it add up to 1.
    """
    distance = np.arange(side) - (side - 1) / 2
    profile = np.exp(-0.5 * (distance / (side * _SIGMA_PER_SIDE)) ** 2).clip(_SMALLEST_WEIGHT)
    total = np.zeros(size)
    for start in starts:
        total[start : start + side] += profile
    rows = [profile / total[start : start + side] for start in starts]
    return np.array(rows, np.float32)
