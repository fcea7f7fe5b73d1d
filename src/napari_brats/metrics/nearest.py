"""Exact distances from each point of one set to the nearest of another, on a voxel grid.

Most surface voxels of a usable prediction lie within two voxels of the reference's surface.
For those, looking at the neighbors in the order of their distance is several times faster
than a tree; a k-d tree answers for the rest, which may be any distance away. A percentile
needs the largest distances only: then the tree is asked for few of these.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.masks import MaskPair

REACH = 2
"""How many voxels along each axis are looked at before the tree is built."""

CELLS = (10, 4)
"""Sides, in voxels, of the cells of points whose distances are bounded together, in turn."""

FEW = 500
"""Points up to which asking for each is cheaper than bounds."""

FEW_HITS = 0.9
"""Share of points without a target one voxel away that makes looking further a waste."""

MANY = 2000
"""Points from which on the tree is asked by all processor cores."""


def nearest_mm(
    points: NDArray[np.int64],
    targets: NDArray[np.int64],
    grid: MaskPair,
    *,
    largest: int | None = None,
) -> NDArray[np.float64]:
    """Return the Euclidean distance of each point to the nearest target.

    Parameters
    ----------
    points, targets : NDArray[np.int64], shapes (N,), (M,)
        Flat indices into the grid, at least `REACH` voxels inside it.
    grid : MaskPair
        Gives shape, spacing and scratch memory.
    largest : int, optional
        How many of the largest distances are wanted, beside those up to the smallest voxel
        side. Each other comes as a number between its own and the smallest of these.

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
        if distance > min(grid.spacing_mm) and len(left) > FEW_HITS * len(points):
            break
        hit = scratch[where + step]
        distances[left[hit]] = distance
        miss = ~hit
        left, where = left[miss], where[miss]
        if not len(left):
            break
    scratch[targets] = False
    if len(left):
        distances[left] = _by_tree(where, targets, grid, largest)
    return distances


def _by_tree(
    points: NDArray[np.int64], targets: NDArray[np.int64], grid: MaskPair, largest: int | None
) -> NDArray[np.float64]:
    # The parser lists the rules of `surface` and must not load scipy for that.
    from scipy.spatial import cKDTree

    # A tree that is asked a few times only need not be balanced. Large leaves are best where
    # many targets are about equally far, as from the middle of a ball.
    places = grid.voxels(targets) * grid.spacing_mm
    tree = cKDTree(places, leafsize=64, balanced_tree=False, compact_nodes=False)

    def ask(places: NDArray[np.floating]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = tree.query(places, workers=-1 if len(places) > MANY else 1)[0]
        return found

    voxels = grid.voxels(points)
    if largest is None:
        return ask(voxels * grid.spacing_mm)
    distances, wanted = np.full(len(points), np.inf), np.arange(len(points))
    for cell in CELLS:
        if len(wanted) <= max(largest, FEW):
            break
        low, high = _bounds(voxels[wanted], cell, grid, ask)
        distances[wanted] = high
        # At least `largest` points lie this far away: what is surely nearer is not wanted.
        wanted = wanted[high >= np.partition(low, -largest)[-largest]]
    distances[wanted] = ask(voxels[wanted] * grid.spacing_mm)
    return distances


def _bounds(
    voxels: NDArray[np.int64],
    cell: int,
    grid: MaskPair,
    ask: Callable[[NDArray[np.floating]], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound each point's distance from both sides, by asking for the centers of cells.

    Two places' distances to the same targets differ by no more than the places' distance.
    """
    cells = voxels // cell
    flat = np.ravel_multi_index(tuple(cells.T), grid.prediction.shape)
    _, first, number = np.unique(flat, return_index=True, return_inverse=True)
    middles = (cells[first] * cell + (cell - 1) / 2) * grid.spacing_mm
    away = np.sqrt(((voxels * grid.spacing_mm - middles[number]) ** 2).sum(axis=1))
    center = ask(middles)[number]
    return center - away, center + away


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
