"""Masks of other programs become masks in tissue codes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.editing.intake import (
    LEFT_OUT,
    MOST_LABELS,
    Label,
    combined,
    labels_of,
    likely_target,
)
from napari_brats.errors import LabelError
from napari_brats.regions import REGIONS, Tissue, decode_labels, label_convention, region_mask

SHAPE = (3, 4, 5)


def test_no_label():
    """Empty case: nothing to map, and an empty mask."""
    empty = np.zeros(SHAPE, np.uint8)
    assert labels_of([empty], ["a"]) == []
    assert not combined([empty], {}).any()


def test_labels_are_counted_and_too_many_are_refused():
    """By hand; and an instance map is no mask of tissues."""
    layer = np.zeros(SHAPE, np.int32)
    layer[0, 0, :3], layer[1, 1, 1] = 7, 2
    assert labels_of([layer], ["a"]) == [Label(0, 2, 1), Label(0, 7, 3)]
    many = np.arange(MOST_LABELS + 2).reshape(-1, 1, 1)
    with pytest.raises(LabelError, match=f"'cells' holds {MOST_LABELS + 1}"):
        labels_of([many], ["cells"])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_binary_regions_are_nested(seed):
    """Three binary layers, in any order and not nested: the result is, and loses no voxel."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(list(REGIONS)).tolist()
    layers = [(rng.random(SHAPE) < 0.3).astype(np.uint8) for _ in order]
    mask = combined(layers, {(place, 1): name for place, name in enumerate(order)})
    given_as = dict(zip(order, layers, strict=True))
    inner = np.zeros(SHAPE, bool)
    for name in reversed(REGIONS):
        inner |= given_as[name] > 0
        np.testing.assert_array_equal(region_mask(mask, name), inner)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_an_editions_codes(seed):
    """Mapping by a convention's row is what reading a file by that row does."""
    convention = label_convention("msd")
    codes = np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.uint8)
    targets = {(0, code): tissue for code, tissue in convention.codes.items()}
    np.testing.assert_array_equal(combined([codes], targets), decode_labels(codes, convention))


def test_tissues_go_over_regions_and_left_out_is_left_out():
    """A later layer's tissue wins; what is left out changes nothing."""
    whole, cyst, noise = (np.zeros(SHAPE, np.uint8) for _ in range(3))
    whole[0] = 1
    cyst[0, 0] = 1
    noise[0, 0, 0] = 9
    mask = combined([whole, cyst, noise], {(0, 1): "WT", (1, 1): Tissue.CYST, (2, 9): LEFT_OUT})
    assert (mask[0, 0] == Tissue.CYST).all()
    assert (mask[0, 1:] == Tissue.EDEMA).all()
    assert not mask[1:].any()


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("nnInteractive WT", 1, "WT"),
        ("tumor_core_1", 1, "TC"),
        ("et-2", 1, "ET"),
        ("edema", 1, Tissue.EDEMA),
        ("object 1", 1, None),
        ("WT", 3, None),
    ],
)
def test_names_are_guessed_only_where_they_are_clear(name, labels, expected):
    assert likely_target(name, labels) == expected
