"""Surface elements: the surface between eight voxels, with its area in mm2.

The BraTS 2023 script measures distances between these elements, not between voxels. An
element sits at each corner where eight voxels meet that are neither all inside nor all
outside; its area is that of the marching-cubes triangles between the eight (Lorensen and
Cline 1987, doi:10.1145/37401.37422; Nikolov et al. 2021, doi:10.2196/26151). Where more
than four of the eight are inside, the triangles are those of the complement.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

CORNERS = tuple(product((0, 1), repeat=3))


def flat_corners(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the steps along a flat (X, Y, Z) grid to the eight voxels of a cube, shape (8,)."""
    return np.array([(x * shape[1] + y) * shape[2] + z for x, y, z in CORNERS], np.int64)


def surfels(
    mask: NDArray[np.bool_], surface: NDArray[np.int64], areas: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Find the surface elements of a mask.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        C order, empty margin.
    surface : NDArray[np.int64], shape (N,)
        Flat indices of its surface voxels.
    areas : NDArray[np.float64], shape (256,)
        `surfel_areas` for the voxel size.

    Returns
    -------
    tuple
        Flat index of each element (M,), the corner's voxel with the highest indices; area
        in mm2 (M,); flat index of one mask voxel beside it (M,).
    """
    flat = mask.ravel()
    steps = flat_corners(mask.shape)
    marked = np.zeros(flat.size, np.bool_)
    for step in steps:
        marked[surface + step] = True
    points = np.flatnonzero(marked)
    codes = np.zeros(len(points), np.uint8)
    owners = np.zeros(len(points), np.int64)
    for bit, step in enumerate(steps):
        inside = flat[points - step]
        codes |= inside.astype(np.uint8) << np.uint8(bit)
        np.copyto(owners, points - step, where=inside)
    cut = codes != 255
    return points[cut], areas[codes[cut]], owners[cut]


@lru_cache(maxsize=16)
def surfel_areas(spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the area in mm2 of each of the 256 ways to fill eight voxels, shape (256,).

    Bit ``b`` of the index stands for the voxel at ``CORNERS[b]``.
    """
    codes, normals = _triangles()
    x, y, z = spacing_mm
    areas = np.linalg.norm(normals * [y * z, x * z, x * y], axis=1) / 2
    by_code = np.zeros(256)
    np.add.at(by_code, codes, areas)
    return by_code


@lru_cache(maxsize=1)
def _triangles() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the triangles of all fillings: code (T,), edge cross product (T, 3) in voxels."""
    from skimage.measure import marching_cubes

    codes, normals = [], []
    for code in range(1, 255):
        bits = code if code.bit_count() <= 4 else 255 - code
        cube = np.array([(bits >> bit) & 1 for bit in range(8)], np.float32).reshape(2, 2, 2)
        points, faces, *_ = marching_cubes(cube, 0.5, method="lorensen")  # type: ignore[no-untyped-call]
        a, b, c = (points[faces[:, corner]].astype(np.float64) for corner in range(3))
        normals.append(np.cross(b - a, c - a))
        codes.append(np.full(len(faces), code))
    return np.concatenate(codes), np.concatenate(normals)
