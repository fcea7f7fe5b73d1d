"""Geometry steps: hand-computed boxes, orientations, and where voxels end up."""

from itertools import permutations, product

import numpy as np
import pytest

from napari_brats.preprocessing.geometry import (
    CropToBrain,
    FitInto,
    Reorient,
    Resample,
    ResizeTo,
    axis_directions,
    left_right_axis,
    spacing_of,
)

RNG = np.random.default_rng(0)
ORIENTATIONS = [
    "".join(letters) for order in permutations(("LR", "PA", "IS")) for letters in product(*order)
]


def affine_of(orientation: str, spacing: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """Return an affine whose voxel axes point to the letters."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(orientation):
        world = next(n for n, pair in enumerate(("LR", "PA", "IS")) if letter in pair)
        affine[world, axis] = spacing[axis] * (1 if letter in "RAS" else -1)
    affine[:3, 3] = (5, -7, 11)
    return affine


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_reorienting_reaches_the_target_and_returns(orientation: str) -> None:
    """Each of the 48 orientations becomes LPS, keeps every voxel's position, and comes back."""
    volume = RNG.random((2, 3, 4, 5), dtype=np.float32)
    affine = affine_of(orientation, (1.0, 2.0, 3.0))
    assert axis_directions(affine) == orientation
    assert orientation[left_right_axis(affine)] in "LR"
    turned, turned_affine, way = Reorient("LPS").apply(volume, affine)
    assert axis_directions(turned_affine) == "LPS"
    np.testing.assert_array_equal(way.back(turned), volume)
    marked = np.zeros((1, 3, 4, 5), np.float32)
    marked[0, 2, 1, 3] = 1
    (found,) = np.argwhere(way.there(marked)[0])
    np.testing.assert_allclose(turned_affine[:3] @ [*found, 1], affine[:3] @ [2, 1, 3, 1])


def test_a_volume_in_the_target_orientation_is_not_copied() -> None:
    """BraTS files pass through untouched."""
    volume = np.zeros((1, 2, 2, 2), np.float32)
    assert Reorient("LPS").apply(volume, affine_of("LPS"))[0] is volume


def test_pls_is_the_in_plane_transpose_of_lps() -> None:
    """SimpleITK's slices of a BraTS file are nibabel's, transposed."""
    volume = RNG.random((1, 3, 4, 2), dtype=np.float32)
    turned, _, way = Reorient("PLS").apply(volume, affine_of("LPS"))
    np.testing.assert_array_equal(turned, volume.transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(way.back(turned), volume)


def test_the_brain_box_has_one_voxel_of_margin() -> None:
    """Hand-computed: voxels 3..5, 2..2 and 0..4 of (10, 6, 5); the margin stops at the border."""
    volume = np.zeros((2, 10, 6, 5), np.float32)
    volume[0, 3, 2, 0] = 1
    volume[1, 5, 2, 4] = -1
    cropped, affine, way = CropToBrain().apply(volume, np.eye(4))
    assert cropped.shape == (2, 5, 3, 5)
    np.testing.assert_array_equal(affine[:3, 3], (2, 1, 0))
    np.testing.assert_array_equal(way.back(cropped), volume)


def test_an_empty_volume_is_left_whole() -> None:
    """No brain: nothing to crop to."""
    volume = np.zeros((4, 3, 2, 1), np.float32)
    cropped, affine, _ = CropToBrain().apply(volume, np.eye(4))
    assert cropped.shape == volume.shape
    np.testing.assert_array_equal(affine, np.eye(4))


def test_the_central_cube_of_a_brats_grid_is_the_published_crop() -> None:
    """240 x 240 x 155 is cut to [56:184, 56:184, 13:141] and pasted back there."""
    volume = np.broadcast_to(np.arange(240, dtype=np.float32)[:, None, None], (1, 240, 240, 155))
    cropped, affine, way = FitInto((128, 128, 128)).apply(volume, np.eye(4))
    np.testing.assert_array_equal(cropped, volume[:, 56:184, 56:184, 13:141])
    np.testing.assert_array_equal(affine[:3, 3], (56, 56, 13))
    pasted = way.back(np.ones((3, 128, 128, 128), np.float32))
    assert pasted.shape == (3, 240, 240, 155)
    assert pasted[:, 56:184, 56:184, 13:141].all()
    assert np.count_nonzero(pasted) == 3 * 128**3


def test_brain_outside_a_fixed_box_is_reported_in_ml() -> None:
    """Two voxels of 1 ml each lie outside; nothing is said when all is inside."""
    volume = np.zeros((1, 10, 10, 10), np.float32)
    volume[0, 5, 5, 5] = 1
    affine = np.diag([10.0, 10, 10, 1])
    assert FitInto((4, 4, 4)).apply(volume, affine)[2].notes == ()
    volume[0, 0, 0, :2] = 1
    (note,) = FitInto((4, 4, 4)).apply(volume, affine)[2].notes
    assert note.startswith("2.0 ml of brain lie outside the recipe's 4 x 4 x 4 box")


@pytest.mark.parametrize(("anchor", "first"), [("center", 1), ("corner", 0)])
def test_a_smaller_volume_is_padded(anchor: str, first: int) -> None:
    """Into 4 voxels, 2 land in the middle or at the corner; a longer axis is cut centrally."""
    volume = np.ones((1, 2, 2, 7), np.float32)
    fitted, affine, way = FitInto((4, 4, 3), anchor).apply(volume, np.eye(4))  # type: ignore[arg-type]
    assert fitted.shape == (1, 4, 4, 3)
    assert fitted[0, first : first + 2, first : first + 2].all()
    assert fitted.sum() == 12
    np.testing.assert_array_equal(affine[:3, 3], (-first, -first, 2))
    assert way.back(fitted).sum() == 12


def test_resampling_leaves_the_wanted_spacing_alone() -> None:
    """Within 1 % of 1 mm an axis stays bit for bit."""
    volume = RNG.random((1, 4, 5, 6), dtype=np.float32)
    same, _, way = Resample(1.0).apply(volume, np.diag([1.005, 0.995, 1, 1]))
    assert same is volume
    assert way.back(same) is same


def test_resampling_keeps_the_outer_faces_in_place() -> None:
    """2 mm voxels to 1 mm: twice as many, and the field of view's corners do not move."""
    volume = RNG.random((1, 4, 5, 6), dtype=np.float32)
    affine = affine_of("RAS", (2, 2, 2))
    fine, fine_affine, way = Resample(1.0).apply(volume, affine)
    assert fine.shape == (1, 8, 10, 12)
    np.testing.assert_allclose(spacing_of(fine_affine), 1)
    for corner, fine_corner in (((-0.5,) * 3, (-0.5,) * 3), ((3.5, 4.5, 5.5), (7.5, 9.5, 11.5))):
        np.testing.assert_allclose(fine_affine[:3] @ [*fine_corner, 1], affine[:3] @ [*corner, 1])
    assert way.back(fine).shape == volume.shape


def test_resizing_gives_the_fixed_shape_from_any_grid() -> None:
    """A single voxel and a flat slab become the wanted cube and return."""
    for shape in ((1, 1, 1), (30, 2, 9)):
        volume = np.ones((2, *shape), np.float32)
        resized, _, way = ResizeTo((8, 8, 8)).apply(volume, np.eye(4))
        assert resized.shape == (2, 8, 8, 8)
        np.testing.assert_allclose(way.back(resized), volume)
