"""Where each voxel of a patient looks in the anatomy: affine, elastic and mass effect."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.synthesis.anatomy import CLASSES, Anatomy, Spacing
from napari_brats.synthesis.brain import Brain, Point, box_around, offsets_mm
from napari_brats.synthesis.fields import Field, smooth_noise

NOMINAL_MM = (138.0, 171.0, 140.0)
"""Brain box of a BraTS patient (left-right, front-back, up-down), to which heads are scaled."""

ROTATION_RAD = 0.16
SCALE = (0.93, 1.05)
SHEAR = 0.05
ELASTIC_MM = (0.5, 2.8)
ELASTIC_LENGTH_MM = 36.0

_REACH = 6.0
_COARSE = 3
_HALF_UINT8 = 127


@dataclass(frozen=True)
class Pose:
    """How an anatomy is placed in the patient's grid.

    Parameters
    ----------
    matrix : NDArray[np.float64], shape (3, 3)
        Patient's mm to the anatomy's mm, both from the middle of the grid.
    elastic_mm : float
        Standard deviation of the elastic displacement along each axis.
    """

    matrix: NDArray[np.float64]
    elastic_mm: float


def draw_pose(rng: np.random.Generator, anatomy: Anatomy) -> Pose:
    """Draw rotation, scale, shear, left-right flip and elastic strength."""
    matrix = np.eye(3)
    for axis, angle in enumerate(rng.uniform(-ROTATION_RAD, ROTATION_RAD, 3)):
        i, j = (other for other in range(3) if other != axis)
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    matrix = matrix + rng.uniform(-SHEAR, SHEAR, (3, 3)) * (1 - np.eye(3))
    scale = anatomy.brain_mm / NOMINAL_MM / rng.uniform(*SCALE, 3)
    if rng.random() < 0.5:
        scale[0] = -scale[0]
    return Pose(np.diag(scale) @ matrix, float(rng.uniform(*ELASTIC_MM)))


def source_coordinates(
    rng: np.random.Generator, pose: Pose, shape: tuple[int, int, int], spacing_mm: Spacing
) -> Field:
    """Return each voxel's place in the anatomy, in mm from its middle, shape (3, X, Y, Z)."""
    middle = tuple((size - 1) / 2 for size in shape)
    whole = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    straight = offsets_mm(whole, (middle[0], middle[1], middle[2]), spacing_mm)
    bent = [
        place + pose.elastic_mm * smooth_noise(rng, shape, spacing_mm, ELASTIC_LENGTH_MM)
        for place in straight
    ]
    out = np.empty((3, *shape))
    for row, target in zip(pose.matrix, out, strict=True):
        np.multiply(bent[0], row[0], out=target)
        target += row[1] * bent[1]
        target += row[2] * bent[2]
    return out


def push_aside(coordinates: Field, center: Point, push_mm: float, spacing_mm: Spacing) -> None:
    """Make room for a mass, changing the coordinates: tissue moves as if incompressible.

    What lay at distance r from the center moves out to (r^3 + push^3)^(1/3); the movement
    fades out at six times ``push_mm``.
    """
    if push_mm <= 0:
        return
    reach = push_mm * _REACH
    box = box_around(center, reach, coordinates.shape[1:], spacing_mm)
    radius = np.sqrt(sum(axis**2 for axis in offsets_mm(box, center, spacing_mm))) + 1e-6
    inner = np.cbrt(np.maximum(radius**3 - push_mm**3, 0))
    move = (inner / radius - 1) * np.clip((reach - radius) / (0.3 * reach), 0, 1)
    at = np.array(center)[:, None]
    for axis in coordinates:
        middle = ndimage.map_coordinates(axis, at, order=1)[0]
        part = axis[box]
        # The map is nearly affine here, so that a shorter offset in the anatomy is one here.
        part += (part - middle) * move


def depth_mm(anatomy: Anatomy, places_mm: Field) -> Field:
    """Return how deep in the brain places lie, shape (N,), to some 3 mm.

    Parameters
    ----------
    anatomy : Anatomy
        The brain.
    places_mm : NDArray[np.float64], shape (3, N)
        In mm from the anatomy's middle.
    """
    brain = anatomy.fractions[:, ::_COARSE, ::_COARSE, ::_COARSE].sum(0, dtype=np.uint16)
    sampling = [_COARSE * step for step in anatomy.spacing_mm]
    depth = ndimage.distance_transform_edt(np.pad(brain, 1) > _HALF_UINT8, sampling=sampling)
    index = voxels_of(anatomy, places_mm) / _COARSE + 1
    out: Field = ndimage.map_coordinates(depth, index, order=1)
    return out


def voxels_of(anatomy: Anatomy, places_mm: Field) -> Field:
    """Turn mm from the anatomy's middle, shape (3, ...), into its voxel indices."""
    flat = (-1,) + (1,) * (places_mm.ndim - 1)
    middle = ((np.array(anatomy.shape) - 1) / 2).reshape(flat)
    index: Field = places_mm / np.array(anatomy.spacing_mm).reshape(flat) + middle
    return index


def sample(anatomy: Anatomy, coordinates: Field, spacing_mm: Spacing) -> Brain:
    """Look an anatomy up at coordinates of shape (3, X, Y, Z)."""
    index = voxels_of(anatomy, coordinates)
    total = anatomy.fractions.sum(0, dtype=np.uint16).clip(0, 255).astype(np.uint8)
    mask = ndimage.map_coordinates(total, index, order=1, output=np.uint8) > _HALF_UINT8
    at = index[:, mask]
    shares = np.stack(
        [
            ndimage.map_coordinates(share, at, order=1, output=np.float64)
            for share in anatomy.fractions
        ]
    )
    fractions = np.zeros((len(CLASSES), *mask.shape), np.float32)
    fractions[:, mask] = shares / np.maximum(shares.sum(0), 1)
    return Brain(mask, fractions, spacing_mm)
