"""Where two masks differ, and where a network was unsure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.editing.disagreements import (
    EXTRA,
    MISSING,
    ORDERS,
    disagreements,
    entropy_bits,
    taken,
    unsure_places,
)
from napari_brats.errors import CaseError
from napari_brats.metrics.overlap import joint_counts, region_overlap
from napari_brats.regions import REGIONS, region_mask

SHAPE = (5, 6, 7)


def pair(seed, density=0.3):
    rng = np.random.default_rng(seed)
    masks = rng.integers(0, 4, (2, *SHAPE)).astype(np.uint8)
    return masks * (rng.random((2, *SHAPE)) < density)


def dice(mask, other, region):
    return region_overlap(joint_counts(mask, other), region).dice


def test_masks_that_agree_have_none():
    """Empty case: the same mask twice, or two empty ones."""
    mask = pair(1)[0]
    assert disagreements(mask, mask.copy(), 0.001) == []
    empty = np.zeros(SHAPE, np.uint8)
    assert disagreements(empty, empty, 0.001) == []


def test_by_hand():
    """Two voxels too many and one missing, edema only: volumes, Dice and centers by hand."""
    mask, other = np.zeros((2, 8, 8, 8), np.uint8)
    mask[1, 1, 1:4] = other[1, 1, 1:4] = 2
    mask[6, 6, 5:7] = 2
    other[1, 1, 4] = 2
    first, second = disagreements(mask, other, 0.5)
    # 2 * 3 / (5 + 4) before; without the two 2 * 3 / (3 + 4); with the one 2 * 4 / (6 + 4).
    assert (first.kind, first.region, first.volume_ml, first.center) == (
        EXTRA,
        "WT",
        1.0,
        (6, 6, 5),
    )
    assert first.dice == pytest.approx(6 / 7)
    assert first.gain == pytest.approx(6 / 7 - 6 / 9)
    assert (second.kind, second.volume_ml, second.center) == (MISSING, 0.5, (1, 1, 4))
    assert second.dice == pytest.approx(8 / 10)


def test_an_edge_or_a_corner_joins_and_the_kind_parts():
    """Voxels that touch at a corner are one place; too many and missing never are."""
    mask, other = np.zeros((2, 6, 6, 6), np.uint8)
    mask[1, 1, 1] = mask[2, 2, 2] = 2
    other[3, 3, 3] = 2
    found = disagreements(mask, other, 1.0)
    assert sorted((place.kind, len(place.voxels)) for place in found) == [(EXTRA, 2), (MISSING, 1)]


def test_two_grids_are_refused():
    with pytest.raises(CaseError, match="one grid"):
        disagreements(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8), 1.0)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6))
def test_places_are_a_partition(seed, density):
    """Of each region every voxel in dispute is in one place, and no other voxel is in any."""
    mask, other = pair(seed, density)
    found = disagreements(mask, other, 1.0)
    for region in REGIONS:
        differs = region_mask(mask, region) != region_mask(other, region)
        voxels = [place.voxels for place in found if place.region == region]
        joined = np.sort(np.concatenate([*voxels, np.empty(0, np.int64)]))
        np.testing.assert_array_equal(joined, np.flatnonzero(differs))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_taking_a_place(seed):
    """The Dice is what was foretold, nothing else changes, and taking all makes A equal B."""
    mask, other = pair(seed)
    for place in disagreements(mask, other, 1.0)[:6]:
        after = taken(mask, other, place)
        assert dice(after, other, place.region) == pytest.approx(place.dice)
        assert set(np.flatnonzero(after != mask)) <= set(place.voxels.tolist())
        assert place.center in {tuple(at) for at in np.argwhere(after != mask).tolist()}
    everything = mask
    for place in disagreements(mask, other, 1.0):
        everything = taken(everything, other, place)
    assert disagreements(everything, other, 1.0) == []


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_orders_and_digests(seed):
    """Each order is one; a digest is told apart by any voxel and stays the same by itself."""
    mask, other = pair(seed)
    found = disagreements(mask, other, 1.0)
    gains = [place.gain for place in found]
    assert gains == sorted(gains, reverse=True)
    volumes = [place.volume_ml for place in sorted(found, key=ORDERS["by volume"])]
    assert volumes == sorted(volumes, reverse=True)
    again = disagreements(mask.copy(), other.copy(order="F"), 1.0)
    assert [place.digest for place in again] == [place.digest for place in found]
    assert len({place.digest for place in found}) == len(found)


def test_entropy_by_hand():
    """Sure is 0 bits, even chances are 1, and a quarter 0.811."""
    bits = entropy_bits(np.array([0, 1, 0.5, 0.25, 0.75], np.float32))
    np.testing.assert_allclose(bits, [0, 0, 1, 0.8112781, 0.8112781], rtol=1e-5)


def test_unsure_places():
    """A sure network has none; two blobs of doubt are found, the greater doubt first."""
    maps = np.zeros((3, 40, 40, 40), np.float32)
    assert unsure_places(maps, (1, 1, 1)) == []
    maps[0, 5:14, 5:14, 5:14] = 0.25
    maps[2, 25:34, 25:34, 25:34] = 0.5
    found = unsure_places(maps, (1, 1, 1))
    assert [place.region for place in found] == ["ET", "WT"]
    assert found[0].center == (29, 29, 29)
    assert found[0].gain == pytest.approx(1.0, abs=1e-5)
    assert found[1].gain == pytest.approx(0.811, abs=1e-3)
    box = unsure_places(maps[:, 4:, 4:, 4:], (1, 1, 1), start=(4, 4, 4), shape=(40, 40, 40))
    assert [place.digest for place in box] == [place.digest for place in found]


def test_even_doubt_gives_places_that_are_apart():
    """Where all of a block is equally unsure the places do not lie upon each other."""
    maps = np.zeros((3, 30, 30, 30), np.float32)
    maps[1] = 0.5
    centers = np.array([place.center for place in unsure_places(maps, (1, 1, 2))])
    assert len(centers) > 1
    apart = np.abs(centers[:, None] - centers[None]) >= (9, 9, 5)
    assert (apart.any(axis=2) | np.eye(len(centers), dtype=bool)).all()
