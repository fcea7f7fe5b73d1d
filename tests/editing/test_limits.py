"""What may change: locks, a region to stay inside, windows of intensity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.editing.limits import FREE, Limits, Window
from napari_brats.regions import REGIONS, Tissue

SHAPE = (2, 3, 4)
MASKS = arrays(np.uint8, SHAPE, elements=st.integers(0, 7))
IMAGES = arrays(np.float32, SHAPE, elements=st.integers(0, 9))
SETS = st.frozensets(st.sampled_from(Tissue), max_size=4)


def test_an_empty_place():
    """No voxels are asked about: none are answered for."""
    nothing = np.zeros(SHAPE, np.bool_)
    assert FREE.allowed(np.zeros(SHAPE, np.uint8), 1, nothing).shape == (0,)


def test_without_limits():
    """Everything may change, whatever stands there."""
    assert FREE.allowed(np.arange(8, dtype=np.uint8), Tissue.EDEMA).all()


def test_locks_by_hand():
    """A locked tissue is neither left nor entered; within a locked region tissues may change."""
    mask = np.array([0, 1, 2, 3], np.uint8)
    edema = Limits(locks=(frozenset({Tissue.EDEMA}),))
    assert edema.allowed(mask, Tissue.NECROSIS).tolist() == [True, True, False, True]
    assert edema.allowed(mask, Tissue.EDEMA).tolist() == [False, False, True, False]
    core = Limits(locks=(REGIONS["TC"].tissues,))
    assert core.allowed(mask, Tissue.ENHANCING).tolist() == [False, True, False, True]


def test_inside_and_windows_by_hand():
    """The voxel must lie in the region and in every window; limits belong to a window."""
    mask = np.array([0, 1, 2, 3], np.uint8)
    image, other = np.array([5, 5, 6, 7.0]), np.array([0, 1, 1, np.nan])
    assert Limits(inside=REGIONS["WT"].tissues).allowed(mask, 2).tolist() == [False] + [True] * 3
    one = Limits(windows=(Window(image, 5, 6),))
    assert one.allowed(mask, 2).tolist() == [True, True, True, False]
    two = Limits(windows=(Window(image, 6, 9), Window(other, 1, 9)))
    assert two.allowed(mask, 2).tolist() == [False, False, True, False]


def test_grids_must_agree():
    """An image of another shape is refused with both shapes."""
    window = Window(np.zeros((2, 2, 2)), 0, 1)
    with pytest.raises(ValueError, match=r"\(2, 2, 2\).*\(2, 3, 4\)"):
        Limits(windows=(window,)).allowed(np.zeros(SHAPE, np.uint8), 1)


def test_labels_that_are_no_byte():
    """Wide labels are looked at, not wrapped into tissues."""
    mask = np.array([257, 1], np.int32)
    limits = Limits(inside=frozenset({Tissue.NECROSIS}))
    assert limits.allowed(mask, 2).tolist() == [False, True]


@settings(max_examples=30)
@given(MASKS, MASKS, IMAGES, st.lists(SETS, max_size=2), st.none() | SETS, st.integers(0, 9))
def test_what_no_edit_breaks(mask, wanted, image, locks, inside, low):
    """Locked sets keep their voxels; nothing changes outside; a place is a part of the whole."""
    limits = Limits(tuple(locks), inside, (Window(image, low, low + 2),))
    allowed = limits.allowed(mask, wanted)
    after = np.where(allowed, wanted, mask)
    for lock in locks:
        members = [int(tissue) for tissue in lock]
        np.testing.assert_array_equal(np.isin(after, members), np.isin(mask, members))
    changed = after != mask
    assert inside is None or np.isin(mask[changed], [int(tissue) for tissue in inside]).all()
    assert ((image[changed] >= low) & (image[changed] <= low + 2)).all()
    box = (slice(0, 1), slice(1, 3), slice(2, 4))
    np.testing.assert_array_equal(limits.allowed(mask, wanted[box], box), allowed[box])
    indices = np.nonzero(image > 4)
    np.testing.assert_array_equal(limits.allowed(mask, wanted[indices], indices), allowed[indices])
