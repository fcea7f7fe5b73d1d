"""What changed, as boxes: exact, tight, and checked when it is applied."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.editing.boxes import apply_edit, difference

MASKS = arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3))


def test_nothing_changed():
    """Equal masks differ in no box."""
    mask = np.ones((3, 4, 5), np.uint8)
    assert difference(mask, mask.copy()) == ()


def test_by_hand():
    """Two voxels of one slice share a box, a voxel of another slice has its own."""
    old = np.zeros((3, 4, 5), np.uint8)
    new = old.copy()
    new[0, 1, 1] = new[0, 2, 3] = 3
    new[2, 3, 4] = 1
    first, second = difference(old, new)
    assert (first.start, first.new.tolist()) == ((0, 1, 1), [[[3, 0, 0], [0, 0, 3]]])
    assert (second.start, second.old.tolist(), second.new.tolist()) == ((2, 3, 4), [[[0]]], [[[1]]])


@settings(max_examples=50)
@given(MASKS, MASKS)
def test_the_difference_leads_from_one_to_the_other(old, new):
    """Applying it gives the other mask, for any two."""
    edited = old.copy()
    apply_edit(edited, difference(old, new))
    np.testing.assert_array_equal(edited, new)


def test_an_edit_of_another_mask_is_refused():
    """Old values that are not there mean that the edit belongs elsewhere; nothing is changed."""
    old, new, other = (np.full((1, 2, 2), value, np.uint8) for value in (0, 1, 2))
    with pytest.raises(ValueError, match="does not follow"):
        apply_edit(other, difference(old, new))
    assert other.min() == 2
