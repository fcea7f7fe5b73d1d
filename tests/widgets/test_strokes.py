"""Every drawing tool of napari goes through the rules, and undo and redo stay exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, Tissue, region_mask
from napari_brats.widgets.live_scores import LiveScores
from napari_brats.widgets.painter import Painter
from napari_brats.widgets.strokes import can_narrow, narrow_strokes

SHAPE = (3, 6, 7)


@pytest.fixture
def painter():
    """Return a painter of BraTS 2023 glioma masks."""
    painter = Painter()
    painter.begin(LABEL_CONVENTIONS["brats2023-gli"])
    return painter


def nested():
    """Return edema around core around enhancement, in each slice, beside background."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 1:5, 1:6] = Tissue.EDEMA
    mask[:, 2:4, 2:5] = Tissue.NECROSIS
    mask[:, 2, 3] = Tissue.ENHANCING
    return mask


def row(painter, name):
    """Return a brush by name."""
    return next(row for row in (*painter.tissue_rows, *painter.region_rows) if row.name == name)


def draw(layer, tool, label, place=(1, 2, 3)):
    """Draw with one of napari's tools over the whole slice, or the whole volume."""
    if tool == "ball":
        layer.n_edit_dimensions = 3
    layer.brush_size = 40
    if tool in ("brush", "ball"):
        layer.paint(place, label)
    elif tool == "fill":
        layer.fill(place, label)
    else:
        layer.paint_polygon([[1, 0, 0], [1, 0, 6], [1, 5, 6], [1, 5, 0]], label)


def test_this_napari_is_known():
    """The one method that all tools share is where it was."""
    assert can_narrow()


def test_another_napari(monkeypatch):
    """Where the method is gone or takes something else, that is noticed."""
    monkeypatch.setattr(Labels, "_paint_region_with_mask", lambda self, place, mask: None)
    assert not can_narrow()
    monkeypatch.delattr(Labels, "_paint_region_with_mask")
    assert not can_narrow()


def test_nothing_passes():
    """Without voxels to change there is no history item, no event, no change."""
    layer = Labels(nested())
    narrow_strokes(layer, lambda *_: None)
    events = []
    layer.events.paint.connect(events.append)
    draw(layer, "brush", 3)
    layer.undo()
    assert events == []
    np.testing.assert_array_equal(layer.data, nested())


@pytest.mark.parametrize("tool", ["brush", "ball", "polygon", "fill"])
def test_every_tool(painter, tool):
    """Each tool adds to TC inside WT only, as one step that undo and redo repeat exactly."""
    layer, before = Labels(nested()), nested()
    narrow_strokes(layer, painter.narrow)
    painter.choose(row(painter, "TC"))
    draw(layer, tool, Tissue.NECROSIS, (1, 1, 1))
    after = layer.data.copy()
    touched = np.ones(SHAPE, np.bool_)
    touched[[0, 2]] = tool == "ball"
    expected = np.where(touched & (before == Tissue.EDEMA), Tissue.NECROSIS, before)
    np.testing.assert_array_equal(after, expected)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    layer.redo()
    np.testing.assert_array_equal(layer.data, after)


def test_the_eraser_gives_back_the_next_region(painter):
    """Erasing ET leaves core, erasing TC leaves edema, erasing WT leaves background."""
    layer = Labels(nested())
    narrow_strokes(layer, painter.narrow)
    for name, left in (("ET", {0, 1, 2}), ("TC", {0, 2}), ("WT", {0})):
        painter.choose(row(painter, name))
        draw(layer, "ball", Tissue.BACKGROUND)
        assert set(np.unique(layer.data)) == left


def test_a_script_paints_the_label_it_names(painter):
    """`layer.paint` with another label than the brush's gets that tissue; a stray one nothing."""
    layer = Labels(nested())
    narrow_strokes(layer, painter.narrow)
    painter.choose(row(painter, "TC"))
    layer.paint((0, 0, 0), Tissue.EDEMA)
    assert layer.data[0, 0, 0] == Tissue.EDEMA
    layer.paint((0, 0, 0), 9)
    assert layer.data[0, 0, 0] == Tissue.EDEMA


def test_exact_edits_pass(painter):
    """`data_setitem`, by which recovery and whole-volume tools write, obeys no brush."""
    layer = Labels(nested())
    narrow_strokes(layer, painter.narrow)
    painter.lock("edema", True)
    layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 3)
    assert layer.data[1, 1, 1] == 3


def test_a_layer_gets_its_own_way_back(painter):
    """After release, and in a copy, napari paints as ever."""
    layer = Labels(nested())
    release = narrow_strokes(layer, painter.narrow)
    painter.lock("edema", True)
    copy = Labels(*layer.as_layer_data_tuple()[:1])
    release()
    for free in (layer, copy):
        free.paint((1, 1, 1), Tissue.ENHANCING)
        assert free.data[1, 1, 1] == Tissue.ENHANCING


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["WT", "TC", "ET"]),
        st.booleans(),
        st.sampled_from(["brush", "ball", "polygon", "fill"]),
        st.tuples(*(st.integers(0, size - 1) for size in SHAPE)),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25)
@given(STEPS, st.sampled_from(["", "edema", "TC"]), st.sampled_from(["", "WT", "edema"]))
def test_any_sequence(steps, locked, inside):
    """Locks, places and hierarchy hold, scores do not drift, and undoing all leads back."""
    painter = Painter()
    painter.begin(LABEL_CONVENTIONS["brats2023-gli"])
    if locked:
        painter.lock(locked, True)
    painter.stay_inside(inside)
    layer, before = Labels(nested()), nested()
    narrow_strokes(layer, painter.narrow)
    live = LiveScores(layer.data, nested(), 0.001)
    layer.events.paint.connect(lambda event: live.paint(event.value, layer.data))
    for name, erasing, tool, place, size in steps:
        brush = row(painter, name)
        painter.choose(brush)
        layer.brush_size, layer.n_edit_dimensions = size, 3 if tool == "ball" else 2
        with layer.block_history():
            label = Tissue.BACKGROUND if erasing else brush.becomes
            draw_at(layer, tool, label, place)
    whole, core, enhancing = (region_mask(layer.data, region) for region in REGIONS)
    assert not (enhancing & ~core).any()
    assert not (core & ~whole).any()
    if locked:
        held = [int(tissue) for tissue in painter.sets()[locked]]
        np.testing.assert_array_equal(np.isin(layer.data, held), np.isin(before, held))
    if inside:
        place = [int(tissue) for tissue in painter.sets()[inside]]
        assert np.isin(before[layer.data != before], place).all()
    counts = score_regions(joint_counts(layer.data, before), 0.001)
    assert [line.dice for line in live.rows()] == [score.dice for score in counts.values()]
    after = layer.data.copy()
    for _ in steps:
        layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    for _ in steps:
        layer.redo()
    np.testing.assert_array_equal(layer.data, after)


def draw_at(layer, tool, label, place):
    """Draw with a small tool."""
    if tool == "polygon":
        z, y, x = place
        layer.paint_polygon([[z, y, x], [z, y, 0], [z, 0, x]], label)
    elif tool == "fill":
        layer.fill(place, label)
    else:
        layer.paint(place, label)
