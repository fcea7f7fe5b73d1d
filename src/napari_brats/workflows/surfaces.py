"""Surfaces of masks as triangles in patient millimeters."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.masks import bounding_box


@dataclass(frozen=True)
class Surface:
    """A closed surface.

    Parameters
    ----------
    vertices : NDArray[np.float32], shape (V, 3)
        Patient mm: toward the right, the front and the head (RAS+), as the affine has it.
    faces : NDArray[np.int32], shape (F, 3)
        Corners of each triangle, counterclockwise as seen from outside.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]

    @property
    def volume_ml(self) -> float:
        """Enclosed volume (divergence theorem); positive, as the faces look outward."""
        a, b, c = (self.vertices[self.faces[:, corner]].astype(np.float64) for corner in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6000)


def surface_of(
    mask: NDArray[np.bool_],
    affine: NDArray[np.float64],
    *,
    smooth_voxels: float = 0.0,
    step: int = 1,
) -> Surface:
    """Return the surface of a mask by marching cubes (Lewiner et al. 2003).

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        With one voxel at least.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient mm, RAS+.
    smooth_voxels : float
        Standard deviation of a Gaussian before it; for looks, not for measuring. What would
        vanish by it is taken unsmoothed.
    step : int
        Voxels that a cube spans.
    """
    from scipy import ndimage
    from skimage.measure import marching_cubes

    box = bounding_box(mask)
    margin = step + int(np.ceil(3 * smooth_voxels))
    volume = np.pad(mask[box].astype(np.float32), margin)
    smooth = ndimage.gaussian_filter(volume, smooth_voxels) if smooth_voxels else volume
    coarse = smooth[::step, ::step, ::step]
    if coarse.max() <= 0.5:
        smooth, step = volume, 1
    cubes: Any = marching_cubes  # its annotations are partial
    vertices, faces, _, _ = cubes(smooth, 0.5, step_size=step, allow_degenerate=False)
    voxels = vertices + [side.start - margin for side in box]
    points = voxels @ affine[:3, :3].T + affine[:3, 3]
    surface = Surface(points.astype(np.float32), faces.astype(np.int32))
    return surface if surface.volume_ml > 0 else Surface(surface.vertices, surface.faces[:, ::-1])
