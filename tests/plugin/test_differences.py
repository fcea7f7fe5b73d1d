"""Where two masks disagree, region by region."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.plugin.differences import (
    ALL_REGIONS,
    DIFFERENCES,
    difference_appearance,
    difference_codes,
)
from napari_brats.regions import REGIONS, Tissue, region_mask

tissues = arrays(np.uint8, (3, 4, 2), elements=st.integers(0, max(Tissue)))


def code(region, *, missed):
    """Return the label of a row."""
    return next(row.code for row in DIFFERENCES if (row.region, row.missed) == (region, missed))


@given(tissues, tissues)
def test_one_region_is_missed_or_too_much(mask, reference):
    """For one region the layer is its false negatives and false positives, and nothing else."""
    for region in REGIONS:
        inside, expected = region_mask(mask, region), region_mask(reference, region)
        codes = difference_codes(mask, reference, region)
        np.testing.assert_array_equal(codes == code(region, missed=True), expected & ~inside)
        np.testing.assert_array_equal(codes == code(region, missed=False), inside & ~expected)
        np.testing.assert_array_equal(codes > 0, inside != expected)


@given(tissues, tissues)
def test_all_regions_show_the_outermost(mask, reference):
    """Every voxel that differs counts once, for the outermost region that only one mask has."""
    expected = np.zeros(mask.shape, np.uint8)
    for place in np.ndindex(mask.shape):
        if mask[place] == reference[place]:
            continue
        expected[place] = DIFFERENCES[-1].code
        for region in REGIONS:
            inside, wanted = (one[place] in REGIONS[region].tissues for one in (mask, reference))
            if inside != wanted:
                expected[place] = code(region, missed=wanted)
                break
    np.testing.assert_array_equal(difference_codes(mask, reference, ALL_REGIONS), expected)


def test_names_and_colors_are_of_the_table():
    """Each code has its own color and a name that says region and kind."""
    look = difference_appearance()
    assert len({row.color for row in DIFFERENCES}) == len(DIFFERENCES) == 7
    assert look["features"]["difference"][:3] == ["none", "WT false negative", "WT false positive"]
    assert look["colormap"][code("ET", missed=True)] == DIFFERENCES[4].color
