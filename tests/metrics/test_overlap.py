"""Counting overlaps: from two masks, from a histogram, and stroke by stroke."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_brats.errors import CaseError, LabelError
from napari_brats.metrics.overlap import (
    LiveOverlap,
    Overlap,
    joint_counts,
    region_overlap,
    tissue_counts,
)
from napari_brats.regions import REGIONS, Tissue, region_mask


def random_mask(rng: np.random.Generator, shape: tuple[int, ...] = (7, 6, 5)) -> NDArray[np.uint8]:
    return rng.integers(0, len(Tissue), shape).astype(np.uint8)


def test_two_empty_masks_meet_only_in_the_background() -> None:
    """The empty case: every voxel is background in both."""
    empty = np.zeros((3, 4, 5), np.uint8)
    joint = joint_counts(empty, empty)
    assert joint.shape == (8, 8)
    assert joint.dtype == np.int64
    assert joint[0, 0] == joint.sum() == 60


def test_no_voxel_gives_no_count() -> None:
    """A mask without voxels counts nothing and does not fail."""
    nothing = np.zeros((0, 4, 5), np.uint8)
    assert joint_counts(nothing, nothing).sum() == 0


def test_counts_computed_by_hand() -> None:
    """Rows are the prediction, columns the reference."""
    prediction = np.array([0, 1, 2, 3, 3, 2], np.uint8)
    reference = np.array([0, 1, 2, 3, 2, 0], np.uint8)
    joint = joint_counts(prediction, reference)
    assert joint[3, 2] == 1
    assert joint[2, 0] == 1
    assert np.trace(joint) == 4
    assert region_overlap(joint, "WT") == Overlap(tp=4, fp=1, fn=0, tn=1)
    assert region_overlap(joint, "TC") == Overlap(tp=2, fp=1, fn=0, tn=3)
    assert region_overlap(joint, "ET") == Overlap(tp=1, fp=1, fn=0, tn=4)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("seed", range(4))
def test_region_overlap_equals_brute_force(region: str, seed: int) -> None:
    """The histogram's sums are what boolean masks give, for every region."""
    rng = np.random.default_rng(seed)
    prediction, reference = random_mask(rng), random_mask(rng)
    p, r = region_mask(prediction, region), region_mask(reference, region)
    overlap = region_overlap(joint_counts(prediction, reference), region)
    assert overlap == Overlap((p & r).sum(), (p & ~r).sum(), (~p & r).sum(), (~p & ~r).sum())
    assert overlap.dice == pytest.approx(2 * (p & r).sum() / (p.sum() + r.sum()))
    assert overlap.sensitivity == pytest.approx(p[r].mean())
    assert overlap.precision == pytest.approx(r[p].mean())
    assert overlap.specificity == pytest.approx(1 - p[~r].mean())


@pytest.mark.parametrize("order", ["CC", "FF", "CF"])
def test_memory_order_does_not_matter(order: str) -> None:
    """C and Fortran arrays, and a mix of them, pair the same voxels."""
    rng = np.random.default_rng(1)
    prediction, reference = random_mask(rng), random_mask(rng)
    expected = np.zeros((8, 8), np.int64)
    np.add.at(expected, (prediction.ravel(), reference.ravel()), 1)
    joint = joint_counts(
        np.asarray(prediction, order=order[0]), np.asarray(reference, order=order[1])
    )
    assert (joint == expected).all()


def test_the_masks_stay_untouched() -> None:
    """Counting never writes into what it counts."""
    rng = np.random.default_rng(2)
    prediction, reference = random_mask(rng), random_mask(rng)
    before = prediction.copy(), reference.copy()
    joint_counts(prediction, reference)
    assert (prediction == before[0]).all()
    assert (reference == before[1]).all()


def test_other_integers_are_counted_too() -> None:
    """A labels layer may hold int32 or int64."""
    rng = np.random.default_rng(3)
    prediction, reference = random_mask(rng), random_mask(rng)
    wide = joint_counts(prediction.astype(np.int64), reference.astype(np.int32))
    assert (wide == joint_counts(prediction, reference)).all()


def test_different_shapes_are_refused() -> None:
    """Masks on different grids cannot be paired; the message names both shapes."""
    with pytest.raises(CaseError, match=r"\(2, 2, 2\).*\(2, 2, 3\)"):
        joint_counts(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8))


@pytest.mark.parametrize("code", [8, 255, -1])
def test_a_code_that_is_no_tissue_is_refused(code: int) -> None:
    """Codes outside the tissue table are named, not folded into others."""
    with pytest.raises(LabelError, match=f"code {code}"):
        joint_counts(np.full((2, 2), code, np.int16), np.zeros((2, 2), np.uint8))


def test_tissue_counts_are_the_rows_of_the_histogram() -> None:
    """One mask's counts equal the joint histogram summed over the reference."""
    rng = np.random.default_rng(4)
    prediction, reference = random_mask(rng), random_mask(rng)
    assert (tissue_counts(prediction) == joint_counts(prediction, reference).sum(axis=1)).all()


edits = st.lists(
    st.tuples(st.integers(0, 2**31), st.integers(0, 12), st.booleans()), min_size=1, max_size=12
)


@given(edits=edits, seed=st.integers(0, 100), with_reference=st.booleans())
@settings(max_examples=40)
def test_live_counts_equal_a_recount_after_any_edits(
    edits: list[tuple[int, int, bool]], seed: int, with_reference: bool
) -> None:
    """After any sequence of strokes, fills and undos the histogram is what a recount gives."""
    rng = np.random.default_rng(seed)
    mask = random_mask(rng)
    reference = random_mask(rng) if with_reference else np.zeros_like(mask)
    live = LiveOverlap(mask, reference if with_reference else None)
    for edit_seed, size, undo in edits:
        stroke = np.random.default_rng(edit_seed)
        voxels = tuple(stroke.permuted(np.indices(mask.shape).reshape(3, -1), axis=1)[:, :size])
        voxels = np.unravel_index(np.unique(np.ravel_multi_index(voxels, mask.shape)), mask.shape)
        old = mask[voxels]
        new = np.uint8(stroke.integers(0, 8))
        mask[voxels] = new
        live.change(old, new, reference[voxels])
        if undo:
            mask[voxels] = old
            live.change(new, old, reference[voxels])
    assert (live.joint == joint_counts(mask, reference)).all()


def test_a_refused_change_leaves_the_counts_alone() -> None:
    """An impossible label raises and the table stays right."""
    mask = np.zeros((3, 3), np.uint8)
    live = LiveOverlap(mask, mask)
    with pytest.raises(LabelError, match="code 9"):
        live.change(np.zeros(2, np.uint8), 9, np.zeros(2, np.uint8))
    assert (live.joint == joint_counts(mask, mask)).all()


def test_an_empty_stroke_changes_nothing() -> None:
    """A stroke outside the volume has no voxels."""
    mask = np.ones((3, 3), np.uint8)
    live = LiveOverlap(mask, mask)
    live.change(np.zeros(0, np.uint8), 3, np.zeros(0, np.uint8))
    assert live.joint[1, 1] == 9


def test_recount_follows_another_reference() -> None:
    """Choosing another reference starts over."""
    mask = np.ones((3, 3), np.uint8)
    live = LiveOverlap(mask)
    assert live.joint[1, 0] == 9
    live.recount(mask, np.full((3, 3), 3, np.uint8))
    assert live.joint[1, 3] == live.joint.sum() == 9
