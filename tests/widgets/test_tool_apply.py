"""A tool's change on a layer, and what is said of it; no window."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from napari_brats.editing.boxes import Box
from napari_brats.editing.tools.table import TOOLS
from napari_brats.editing.tools.work import Work
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.widgets.live_scores import LiveScores
from napari_brats.widgets.tool_apply import apply_box
from napari_brats.widgets.tool_work import (
    BUSY,
    NO_IMAGE,
    NO_OTHER,
    NO_PLACE,
    change_text,
    what_is_missing,
)

SHAPE = (5, 300, 4)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.int32]))
def test_one_exact_step(seed, dtype):
    """Apply is one step; undo and redo are exact; the live scores equal a full recount."""
    rng = np.random.default_rng(seed)
    mask, reference = (rng.integers(0, 4, SHAPE).astype(np.uint8) for _ in range(2))
    layer = Labels(mask.astype(dtype))
    live = LiveScores(layer.data, reference, 0.001)
    layer.events.paint.connect(lambda event: live.paint(event.value, layer.data))
    box = TOOLS["smooth"].run(Work(mask, (1.0, 1.0, 1.0)))
    assert apply_box(layer, box)
    after = layer.data.copy()
    np.testing.assert_array_equal(after[box.place], box.new)
    scores = score_regions(joint_counts(after, reference), 0.001)
    assert [(row.region, row.dice, row.volume_ml, row.reference_ml) for row in live.rows()] == [
        (name, one.dice, one.volume_ml, one.reference_ml) for name, one in scores.items()
    ]
    layer.undo()
    np.testing.assert_array_equal(layer.data, mask)
    layer.redo()
    np.testing.assert_array_equal(layer.data, after)


def test_a_changed_mask_is_left_alone():
    """Where the old values are no longer there, nothing is written."""
    layer = Labels(np.zeros(SHAPE, np.uint8))
    layer.data[1, 2, 3] = 3
    old = np.zeros((1, 1, 2), np.uint8)
    assert not apply_box(layer, Box((1, 2, 2), old, old + np.uint8(2)))
    assert layer.data.sum() == 3


def test_words():
    """Each tissue has a line with what came and what went."""
    box = Box((0, 0, 0), np.array([[[0, 2, 3]]], np.uint8), np.array([[[2, 0, 1]]], np.uint8))
    assert change_text(box, 0.5).split("\n") == [
        "necrosis +0.50 ml",
        "edema +0.50 \u22120.50 ml",
        "enhancing tumor \u22120.50 ml",
    ]
    assert "+0.0005 ml" in change_text(box, 0.0005)


def test_what_is_missing():
    """What a tool needs is asked for, nothing else."""
    nothing = {"seed": False, "other": False, "images": False, "idle": False}
    assert what_is_missing(TOOLS["grow"], **nothing) == ""
    assert what_is_missing(TOOLS["take"], **nothing) == NO_OTHER
    assert what_is_missing(TOOLS["seed"], **nothing) == NO_PLACE
    assert what_is_missing(TOOLS["seed"], **{**nothing, "seed": True}) == NO_IMAGE
    assert what_is_missing(TOOLS["box"], **{**nothing, "seed": True}) == BUSY
