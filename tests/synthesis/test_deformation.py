"""Poses, mass effect and sampling."""

import numpy as np
import pytest

from napari_brats.synthesis.anatomy import Anatomy
from napari_brats.synthesis.brain import box_around
from napari_brats.synthesis.deformation import (
    NOMINAL_MM,
    Pose,
    depth_mm,
    draw_pose,
    push_aside,
    sample,
    source_coordinates,
    voxels_of,
)

SPACING = (5.0, 5.0, 5.0)


def test_identity_pose_returns_the_anatomy(anatomy: Anatomy) -> None:
    """Without rotation, scale or bending each voxel finds itself."""
    rng = np.random.default_rng(0)
    places = source_coordinates(rng, Pose(np.eye(3), 0.0), anatomy.shape, SPACING)
    index = np.indices(anatomy.shape)
    np.testing.assert_allclose(voxels_of(anatomy, places), index, atol=1e-9)
    brain = sample(anatomy, places, SPACING)
    total = brain.fractions.sum(0)
    np.testing.assert_allclose(total[brain.mask], 1, atol=1e-5)
    assert not total[~brain.mask].any()


@pytest.mark.parametrize("seed", range(4))
def test_heads_are_scaled_to_a_patient_of_brats(anatomy: Anatomy, seed: int) -> None:
    """Whatever the anatomy's size, the posed brain has about the nominal volume."""
    rng = np.random.default_rng(seed)
    pose = draw_pose(rng, anatomy)
    factor = abs(np.linalg.det(pose.matrix)) * np.prod(NOMINAL_MM) / np.prod(anatomy.brain_mm)
    assert 0.8 < factor < 1.3


def test_mass_makes_room(anatomy: Anatomy) -> None:
    """Around the center tissue of a smaller ball fills a larger one; far away nothing moves."""
    rng = np.random.default_rng(0)
    places = source_coordinates(rng, Pose(np.eye(3), 0.0), anatomy.shape, SPACING)
    before = places.copy()
    center = tuple(float(size // 2) for size in anatomy.shape)
    push_aside(places, (center[0], center[1], center[2]), 8.0, SPACING)
    x, y, z = (int(at) for at in center)
    moved = places[:, x + 2, y, z] - before[:, x, y, z]
    np.testing.assert_allclose(moved, [(10**3 - 8**3) ** (1 / 3), 0, 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(places[:, 0], before[:, 0])


def test_no_mass_moves_nothing(anatomy: Anatomy) -> None:
    """A push of 0 leaves all in place."""
    places = np.indices(anatomy.shape).astype(float)
    push_aside(places, (5.0, 5.0, 5.0), 0.0, SPACING)
    np.testing.assert_array_equal(places, np.indices(anatomy.shape))


def test_depth_is_zero_outside_and_large_in_the_middle(anatomy: Anatomy) -> None:
    """Depth counts from the brain's surface."""
    deep, outside = depth_mm(anatomy, np.array([[0.0, 500.0], [0.0, 0.0], [0.0, 0.0]]))
    assert deep > 40
    assert outside == 0


def test_boxes_stay_inside_the_grid() -> None:
    """A reach beyond the grid is cut off."""
    assert box_around((0.0, 5.0, 9.0), 30.0, (10, 10, 10), SPACING) == (
        slice(0, 8),
        slice(0, 10),
        slice(3, 10),
    )
