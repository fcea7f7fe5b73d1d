"""Exact distances from each point of one set to the nearest of another, on a voxel grid.

Most surface voxels of a usable prediction lie within two voxels of the reference's surface.
For those, looking at the neighbors in the order of their distance is several times faster
than a tree; a k-d tree answers for the rest, which may be any distance away.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.masks import MaskPair

REACH = 2
"""How many voxels along each axis are looked at before the tree is built."""


def nearest_mm(
    points: NDArray[np.int64], targets: NDArray[np.int64], grid: MaskPair
) -> NDArray[np.float64]:
    """Return the Euclidean distance of each point to the nearest target.

    Parameters
    ----------
    points, targets : NDArray[np.int64], shapes (N,), (M,)
        Flat indices into the grid, at least `REACH` voxels inside it.
    grid : MaskPair
        Gives shape, spacing and scratch memory.

    Returns
    -------
    NDArray[np.float64], shape (N,)
        Millimeters; infinite where there is no target.
    """
    distances = np.full(len(points), np.inf)
    if not len(points) or not len(targets):
        return distances
    shape = grid.prediction.shape
    scratch = grid.scratch
    scratch[targets] = True
    left, where = np.arange(len(points)), points
    for step, distance in _steps(shape, grid.spacing_mm):
        hit = scratch[where + step]
        distances[left[hit]] = distance
        miss = ~hit
        left, where = left[miss], where[miss]
        if not len(left):
            break
    scratch[targets] = False
    if len(left):
        # The parser lists the rules of `surface` and must not load scipy for that.
        from scipy.spatial import cKDTree

        # A tree that is asked a few times only need not be balanced.
        tree = cKDTree(
            grid.voxels(targets) * grid.spacing_mm, balanced_tree=False, compact_nodes=False
        )
        distances[left] = tree.query(grid.voxels(where) * grid.spacing_mm)[0]
    return distances


@lru_cache(maxsize=64)
def _steps(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> list[tuple[int, float]]:
    """Return the near neighbors as (step along the flat grid, mm), the nearest first.

    Beyond ``(REACH + 1) * min(spacing)`` a voxel outside the reach could be nearer.
    """
    limit = (REACH + 1) * min(spacing)
    _, sy, sz = shape
    steps = []
    for x, y, z in product(range(-REACH, REACH + 1), repeat=3):
        distance = float(
            np.sqrt(sum((n * s) ** 2 for n, s in zip((x, y, z), spacing, strict=True)))
        )
        if distance < limit:
            steps.append(((x * sy + y) * sz + z, distance))
    return sorted(steps, key=lambda step: step[1])
