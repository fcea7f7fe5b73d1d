"""Tissues and regions: what is scored, and masks of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_brats.regions import (
    REGIONS,
    TISSUE_COLORS,
    TISSUE_TITLES,
    Tissue,
    region_mask,
    tissues_from_regions,
)


def test_tables_cover_all_tissues():
    """Each tissue has a title, each but the background a color of its own."""
    assert set(TISSUE_TITLES) == set(Tissue)
    assert set(TISSUE_COLORS) == set(Tissue) - {Tissue.BACKGROUND}
    assert len(set(TISSUE_COLORS.values())) == len(TISSUE_COLORS)


def test_regions_are_nested():
    """ET lies inside TC, TC inside WT; a cavity and the background lie in none."""
    whole, core, enhancing = (REGIONS[name].tissues for name in ("WT", "TC", "ET"))
    assert enhancing < core < whole
    assert not {Tissue.BACKGROUND, Tissue.CAVITY} & whole


def test_region_masks_by_hand():
    """WT is all tumor, TC without edema, ET the enhancing part."""
    tissues = np.arange(8, dtype=np.uint8)
    assert region_mask(tissues, "WT").tolist() == [0, 1, 1, 1, 0, 1, 1, 1]
    assert region_mask(tissues, "TC").tolist() == [0, 1, 0, 1, 0, 1, 1, 1]
    assert region_mask(tissues, "ET").tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


def test_empty_regions_give_background():
    """No region, no tissue."""
    assert not tissues_from_regions(np.zeros((3, 2, 2, 2), np.bool_)).any()


@settings(max_examples=40)
@given(hnp.arrays(np.bool_, (3, 2, 3, 4)))
def test_tissues_from_regions_are_nested(regions):
    """Whatever a network says, the regions of the result are nested and inside its WT."""
    tissues = tissues_from_regions(regions)
    whole, core, enhancing = (region_mask(tissues, name) for name in ("WT", "TC", "ET"))
    np.testing.assert_array_equal(whole, regions[0])
    np.testing.assert_array_equal(core, regions[0] & regions[1])
    np.testing.assert_array_equal(enhancing, regions.all(axis=0))


@settings(max_examples=40)
@given(hnp.arrays(np.uint8, (2, 3, 4), elements=st.sampled_from([0, 1, 2, 3])))
def test_regions_of_tissues_give_them_back(tissues):
    """Splitting into regions and joining again is the identity on necrosis, edema, enhancing."""
    regions = np.stack([region_mask(tissues, name) for name in ("WT", "TC", "ET")])
    np.testing.assert_array_equal(tissues_from_regions(regions), tissues)
