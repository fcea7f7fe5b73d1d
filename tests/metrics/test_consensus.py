"""A consensus is nested, follows the majority, and does not depend on who comes first."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_brats.errors import CaseError, DependencyError
from napari_brats.metrics.consensus import CONSENSUS_RULES, MAJORITY, STAPLE, consensus
from napari_brats.regions import Tissue, region_mask

MASK = arrays.arrays(np.uint8, (4, 3, 3), elements=st.integers(0, 7))


def ball(radius: float, code: int, shift: int = 0) -> np.ndarray:
    grid = np.indices((20, 20, 20)) - np.array([10 + shift, 10, 10])[:, None, None, None]
    return np.where((grid**2).sum(axis=0) <= radius**2, np.uint8(code), np.uint8(0))


def tumor(shift: int = 0, scale: float = 1.0) -> np.ndarray:
    mask = ball(7 * scale, Tissue.EDEMA, shift)
    for radius, code in ((5, Tissue.ENHANCING), (3, Tissue.NECROSIS)):
        inner = ball(radius * scale, code, shift)
        mask = np.where(inner > 0, inner, mask)
    return mask


@settings(max_examples=20)
@given(masks=st.lists(MASK, min_size=2, max_size=5))
def test_majority_by_voxel(masks: list[np.ndarray]) -> None:
    """Each region's voxels are exactly those that more than half of the masks have."""
    joined = consensus(masks, MAJORITY).tissues
    for region in ("WT", "TC", "ET", "RC"):
        votes = sum(region_mask(mask, region).astype(int) for mask in masks)
        assert np.array_equal(region_mask(joined, region), votes * 2 > len(masks))


@settings(max_examples=20)
@given(mask=MASK)
def test_majority_keeps_what_all_say(mask: np.ndarray) -> None:
    """Masks that are the same give that mask, rare tissues included."""
    assert np.array_equal(consensus([mask] * 3, MAJORITY).tissues, mask)


@settings(max_examples=10)
@given(masks=st.lists(MASK, min_size=2, max_size=4))
def test_staple_is_nested(masks: list[np.ndarray]) -> None:
    """Whatever STAPLE makes of noise, a voxel is one tissue that a mask there or elsewhere has."""
    joined = consensus(masks, STAPLE).tissues
    assert set(np.unique(joined)) <= set(np.unique(masks)) | {0, 1, 2, 3}
    assert not joined[np.max(masks, axis=0) == 0].any()


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_same_masks(rule: str) -> None:
    """Masks that are the same are their own consensus."""
    assert np.array_equal(consensus([tumor()] * 3, rule).tissues, tumor())


def test_staple_trusts_those_who_agree() -> None:
    """Two readers who agree outweigh one far off, who gets the lower sensitivity."""
    good, bad = tumor(), tumor(shift=3, scale=0.6)
    joined = consensus([good, good, bad], STAPLE)
    assert np.array_equal(joined.tissues, good)
    for raters in joined.raters.values():
        assert raters[0].sensitivity > 0.95 > raters[2].sensitivity
        assert all(0 <= rater.specificity <= 1 for rater in raters)


def test_staple_ignores_background_around() -> None:
    """More empty space around the head changes nothing: the prior is that of the box."""
    masks = [tumor(), tumor(shift=1), tumor(scale=0.9)]
    wide = [np.pad(mask, 15) for mask in masks]
    inner = (slice(15, -15),) * 3
    assert np.array_equal(consensus(wide, STAPLE).tissues[inner], consensus(masks, STAPLE).tissues)


@pytest.mark.parametrize("rule", CONSENSUS_RULES)
def test_empty(rule: str) -> None:
    """Nobody sees a tumor, so there is none; a region that one of three sees is not there."""
    empty = np.zeros((5, 5, 5), np.uint8)
    assert not consensus([empty, empty], rule).tissues.any()
    lone = empty.copy()
    lone[2, 2, 2] = Tissue.ENHANCING
    assert not consensus([empty, empty, lone], rule).tissues.any()


def test_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few masks, and STAPLE without its library, are said."""
    with pytest.raises(CaseError, match="two or more"):
        consensus([tumor()], MAJORITY)
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(DependencyError, match=r"napari-brats\[consensus\]"):
        consensus([tumor(), tumor()], STAPLE)
