"""What an affine tells: voxel sizes and volumes."""

import numpy as np
from numpy.typing import NDArray


def spacing_of(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the voxel size along each voxel axis in mm, shape (3,), of an affine (4, 4)."""
    spacing: NDArray[np.float64] = np.linalg.norm(affine[:3, :3], axis=0)
    return spacing


def voxel_ml(affine: NDArray[np.float64]) -> float:
    """Return the volume of one voxel in milliliters, of an affine (4, 4) in mm."""
    return float(abs(np.linalg.det(affine[:3, :3])) / 1000)
