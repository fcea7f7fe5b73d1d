"""The turn from file to screen loses nothing, whatever way the file lies."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.plugin.display import VIEW_CONVENTIONS, display_of, edge_letters

ORIENTATIONS = [
    (order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


def affine_of(order, signs, spacing=(1.0, 2.0, 3.0), origin=(5.0, -7.0, 11.0), tilt=0.0):
    """Return an affine whose voxel axis i points along world axis order[i]."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
        affine[world, axis] = sign * spacing[axis]
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = origin
    return affine


@pytest.mark.parametrize("view", VIEW_CONVENTIONS)
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_round_trip_of_all_orientations(order, signs, view):
    """to_file undoes to_display on every voxel for all 48 orientations, both views."""
    volume = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    display = display_of(affine_of(order, signs), volume.shape, view)
    shown = display.to_display(volume)
    assert shown.shape == display.display_shape
    np.testing.assert_array_equal(display.to_file(shown), volume)


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_world_is_patient_millimeters(order, signs):
    """World coordinates are (-S, -A, -R) of every voxel in the radiological view."""
    shape = (2, 3, 4)
    display = display_of(affine_of(order, signs), shape)
    for index in np.ndindex(*display.display_shape):
        world = np.array(display.translate) + np.array(index) * display.scale
        right, anterior, superior = display.patient_mm(np.array(index, float))
        np.testing.assert_allclose(world, [-superior, -anterior, -right], atol=1e-9)


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_voxels_keep_their_place(order, signs):
    """The voxel at a display index is the file's voxel at file_index."""
    shape = (2, 3, 4)
    volume = np.arange(24).reshape(shape)
    display = display_of(affine_of(order, signs), shape)
    shown = display.to_display(volume)
    for index in np.ndindex(*shown.shape):
        x, y, z = display.file_index(np.array(index, float)).astype(int)
        assert shown[index] == volume[x, y, z]
        assert display.display_index((int(x), int(y), int(z))) == index


def test_radiological_by_hand():
    """An LPS file is shown from the feet's far end, anterior up, the patient's right at left."""
    display = display_of(np.diag([-1.0, -1.0, 1.0, 1.0]), (4, 5, 6))
    assert display.directions == "IPL"
    assert (display.axes, display.flips) == ((2, 1, 0), (True, False, False))
    assert display.axis_labels == ("S-I", "A-P", "R-L")


def test_neurological_by_hand():
    """The other convention only turns left and right around."""
    display = display_of(np.diag([-1.0, -1.0, 1.0, 1.0]), (4, 5, 6), "neurological")
    assert (display.directions, display.flips) == ("IPR", (True, False, True))


@settings(max_examples=60)
@given(
    st.sampled_from(ORIENTATIONS),
    st.floats(-0.7, 0.7),
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
)
def test_oblique_round_trip(orientation, tilt, shape):
    """Oblique files go along the nearest axes and back exactly; the true affine is kept."""
    affine = affine_of(*orientation, tilt=tilt)
    display = display_of(affine, shape)
    volume = np.random.default_rng(0).integers(0, 99, shape)
    np.testing.assert_array_equal(display.to_file(display.to_display(volume)), volume)
    assert display.axes == display_of(affine_of(*orientation), shape).axes
    np.testing.assert_array_equal(display.affine, affine)


def test_oblique_center_is_true():
    """Without axes of its own in napari, an oblique volume has at least its center in place."""
    display = display_of(affine_of((0, 1, 2), (1, 1, 1), tilt=0.3), (3, 5, 7))
    middle = (np.array(display.display_shape) - 1) / 2
    right, anterior, superior = display.patient_mm(middle)
    world = np.array(display.translate) + middle * display.scale
    np.testing.assert_allclose(world, [-superior, -anterior, -right])


def test_writes_go_through_the_view():
    """to_display gives a view: painting on it paints the file's array."""
    volume = np.zeros((2, 3, 4))
    display_of(affine_of((2, 0, 1), (1, -1, 1)), volume.shape).to_display(volume)[0, 0, 0] = 5
    assert volume.sum() == 5


@pytest.mark.parametrize(
    ("rows", "columns", "camera", "expected"),
    [
        (1, 2, {}, "APRL"),
        (0, 2, {}, "SIRL"),
        (0, 1, {}, "SIAP"),
        (1, 2, {"up": True}, "PARL"),
        (1, 2, {"left": True}, "APLR"),
    ],
)
def test_edge_letters(rows, columns, camera, expected):
    """Letters say what lies at top, bottom, left, right in every plane and camera."""
    letters = edge_letters("IPL", rows, columns, **camera)
    assert "".join(letters[edge] for edge in ("top", "bottom", "left", "right")) == expected
