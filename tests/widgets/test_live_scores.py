"""The live table's numbers against a full recount."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import EMPTY_RULE, score_regions
from napari_brats.metrics.surface import hd95
from napari_brats.regions import REGIONS, region_mask
from napari_brats.widgets.live_scores import (
    NO_REFERENCE,
    LiveScores,
    ScoreRow,
    changes_of,
    measure,
)

SHAPE = (3, 4, 5)


def full(mask, reference, voxel_ml=0.001):
    scores = score_regions(joint_counts(mask, reference), voxel_ml)
    return [
        ScoreRow(n, s.dice, s.volume_ml, s.reference_ml, fresh=False) for n, s in scores.items()
    ]


def test_empty_masks():
    """Both empty: Dice 1 everywhere, and the rule is told."""
    empty = np.zeros(SHAPE, np.uint8)
    live = LiveScores(empty, empty, 0.001)
    assert [row.dice for row in live.rows()] == [1.0, 1.0, 1.0]
    assert live.note == EMPTY_RULE


def test_without_reference():
    """Volumes follow the mask; Dice and reference volume are absent."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[0, 0, :2] = 3
    live = LiveScores(mask, None, 0.5)
    assert live.rows() == [
        ScoreRow(name, None, 1.0, None, fresh=False) for name in ("WT", "TC", "ET")
    ]
    assert live.note == NO_REFERENCE


def test_reference_of_another_shape_counts_as_none():
    """Masks on two grids are not compared."""
    live = LiveScores(np.zeros(SHAPE, np.uint8), np.zeros((2, 2, 2), np.uint8), 1.0)
    assert live.rows()[0].dice is None


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_strokes_never_drift(seed, count):
    """After any sequence of both kinds of edits the rows equal a full recount."""
    from napari.layers import Labels

    rng = np.random.default_rng(seed)
    mask, reference = (rng.integers(0, 4, SHAPE).astype(np.uint8) for _ in range(2))
    layer = Labels(mask)
    live = LiveScores(layer.data, reference, 0.001)
    layer.events.paint.connect(lambda event: live.paint(event.value, layer.data))
    for _ in range(count):
        value = int(rng.integers(0, 4))
        if rng.integers(2):
            layer.brush_size = int(rng.integers(1, 5))
            layer.n_edit_dimensions = int(rng.integers(2, 4))
            layer.paint(rng.integers(0, SHAPE), value)
        else:
            places = tuple(rng.integers(0, size, 6) for size in SHAPE)
            unique = np.unique(np.stack(places), axis=1)
            layer.data_setitem(tuple(unique), value)
    assert live.rows() == full(layer.data, reference)


def test_a_whole_box_changed():
    """An edit that filled its box (no mask in the history) is followed too."""
    from napari.layers import Labels

    layer = Labels(np.zeros(SHAPE, np.uint8))
    reference = np.ones(SHAPE, np.uint8)
    live = LiveScores(layer.data, reference, 0.001)
    layer.events.paint.connect(lambda event: live.paint(event.value, layer.data))
    layer.fill((0, 0, 0), 3)
    assert live.rows() == full(layer.data, reference)


def test_a_label_that_is_no_tissue():
    """No numbers and a reason while a stray label is there; numbers again after."""
    mask = np.zeros(SHAPE, np.uint8)
    live = LiveScores(mask, np.zeros(SHAPE, np.uint8), 0.001)
    mask[0, 0, 0] = 9
    live.paint([((np.array([0]),) * 3, np.array([0]), 9)], mask)
    assert live.rows() == []
    assert "9" in live.note
    mask[0, 0, 0] = 1
    live.paint([((np.array([0]),) * 3, np.array([9]), 1)], mask)
    assert live.rows() == full(mask, np.zeros(SHAPE, np.uint8))


def test_changes_without_reference():
    """Without a reference every changed voxel is compared with background."""
    atom = ((np.array([0]), np.array([1])), np.array([2]), 3)
    assert changes_of([atom], None) == [(atom[1], 3, 0)]


def test_change_since_the_mask_came():
    """With a reference the Dice's change, without one the volume's; nothing before it is known."""
    reference = np.zeros(SHAPE, np.uint8)
    reference[0, 0, :4] = 2
    origin = np.zeros_like(reference)
    origin[0, 0, :2] = 2
    for truth, change in ((reference, 1 - 4 / 6), (None, 1.0)):
        live = LiveScores(reference, truth, 0.5)
        assert live.rows()[0].change is None
        live.measured = measure(reference, truth, origin, (10, 10, 5))
        assert live.rows()[0].change == pytest.approx(change)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_distances_are_those_of_the_scores(seed):
    """HD95 of each region is that of the metrics, infinite where only one mask has it."""
    rng = np.random.default_rng(seed)
    mask, reference = (
        (rng.integers(0, 4, (6, 7, 8)) * (rng.random((6, 7, 8)) < 0.1)).astype(np.uint8),
        np.zeros((6, 7, 8), np.uint8),
    )
    reference[2:4, 2:5, 3:6] = 2
    found = measure(mask, reference, None, (1, 1.5, 2)).hd95_mm
    for name in REGIONS:
        expected = hd95(region_mask(mask, name), region_mask(reference, name), (1, 1.5, 2))
        assert found[name] == expected
