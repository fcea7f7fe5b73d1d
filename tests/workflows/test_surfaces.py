"""Surfaces of masks: closed, outward, in patient millimeters."""

import numpy as np
import pytest

from napari_brats.workflows.surfaces import surface_of

AFFINES = {
    "right-handed": np.diag([1.0, 1.0, 2.0, 1.0]),
    "left-handed": np.array([[-1.0, 0, 0, 10], [0, -1.0, 0, 20], [0, 0, -2.0, 5], [0, 0, 0, 1]]),
    "permuted": np.array([[0, 0, 2.0, -3], [1.0, 0, 0, 4], [0, 1.0, 0, 0], [0, 0, 0, 1.0]]),
}


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_ball_has_its_volume_and_place(affine: np.ndarray) -> None:
    """Within 3 % of the voxels' volume, positive, around the same center."""
    grid = np.indices((24, 26, 28)) - np.array([12, 13, 15]).reshape(3, 1, 1, 1)
    mask = (grid**2).sum(axis=0) <= 81
    surface = surface_of(mask, affine)
    assert surface.volume_ml == pytest.approx(mask.sum() * 2 / 1000, rel=0.03)
    center = affine[:3, :3] @ [12, 13, 15] + affine[:3, 3]
    assert surface.vertices.mean(axis=0) == pytest.approx(center, abs=0.2)


def test_a_surface_is_closed() -> None:
    """Every edge belongs to two triangles, also where the mask touches the volume's border."""
    mask = np.zeros((6, 6, 6), np.bool_)
    mask[:3, 2:, 1:4] = True
    faces = surface_of(mask, np.eye(4)).faces
    edges = np.sort(np.concatenate([faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert set(counts.tolist()) == {2}


@pytest.mark.parametrize(("smooth", "step"), [(0.8, 1), (0.8, 2), (2.0, 4)])
def test_one_voxel_does_not_vanish(smooth: float, step: int) -> None:
    """What smoothing would remove is drawn as it is."""
    mask = np.zeros((5, 5, 5), np.bool_)
    mask[2, 2, 2] = True
    surface = surface_of(mask, np.eye(4), smooth_voxels=smooth, step=step)
    assert surface.vertices.mean(axis=0) == pytest.approx([2, 2, 2])
