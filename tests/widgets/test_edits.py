"""Every way a labels layer changes is noticed, and only then."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_brats.widgets.edits import LayerEdits, checksum


@pytest.fixture
def layer():
    return Labels(np.zeros((4, 8, 8), np.uint8))


@pytest.fixture
def log():
    return []


@pytest.fixture
def edits(layer, later, log):
    edits = LayerEdits(layer, later)
    edits.on_paint.append(lambda atoms: log.append("paint"))
    edits.on_replace.append(lambda: log.append("recount"))
    edits.on_dirty.append(lambda: log.append(f"dirty {edits.dirty}"))
    return edits


def test_a_stroke(layer, edits, later, log):
    """A stroke is told with its voxels and makes the mask dirty; nothing is recounted."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    assert log == ["dirty True", "paint"]


def test_undo_and_redo(layer, edits, later, log):
    """Undo and redo cause a recount; back at the saved voxels the mask is clean."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    log.clear()
    layer.undo()
    later.turn()
    assert log == ["recount", "dirty False"]
    log.clear()
    layer.redo()
    later.turn()
    assert log == ["recount", "dirty True"]


def test_painting_and_undoing_at_once(layer, edits, later, log):
    """A script that paints and undoes in one go leaves the right numbers."""
    layer.paint((1, 4, 4), 2)
    layer.undo()
    later.turn()
    assert log[-2:] == ["recount", "dirty False"]


def test_fill_polygon_and_setitem(layer, edits, later, log):
    """Fill, polygon and data_setitem are strokes like any other."""
    layer.fill((1, 4, 4), 1)
    layer.paint_polygon([[1, 1, 1], [1, 1, 5], [1, 5, 5]], 2)
    layer.data_setitem((np.array([3]), np.array([3]), np.array([3])), 3)
    later.turn()
    assert log.count("paint") == 3
    assert "recount" not in log


def test_assigning_data(layer, edits, log):
    """A new array is recounted at once."""
    layer.data = np.ones((4, 8, 8), np.uint8)
    assert log == ["recount", "dirty True"]


def test_writing_past_napari(layer, edits, later, log):
    """A direct write is noticed at the next refresh."""
    layer.data[0, 0, 0] = 1
    layer.refresh()
    later.turn()
    assert log == ["recount", "dirty True"]


def test_looking_is_no_edit(layer, edits, later, log):
    """Refreshing, hiding and outlines change nothing."""
    layer.refresh()
    layer.visible = False
    layer.visible = True
    layer.contour = 1
    later.turn()
    assert log == []


def test_a_slice_change_in_the_middle_of_a_stroke(layer, edits, later, log):
    """Dabs that were recounted before the stroke ended are not counted twice."""
    with layer.block_history():
        layer.paint((1, 4, 4), 2)
        layer.refresh()
        later.turn()
        assert log == ["recount", "dirty True"]
        layer.paint((1, 2, 2), 2)
    later.turn()
    assert log == ["recount", "dirty True", "recount"]


def test_saving(layer, edits, later):
    """Saved voxels are clean; strokes made while saving stay dirty."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    snapshot = checksum(layer.data)
    edits.mark_saved(snapshot)
    assert not edits.dirty
    layer.paint((2, 4, 4), 2)
    later.turn()
    edits.mark_saved(snapshot)
    assert edits.dirty


def test_saving_in_the_turn_of_an_undo(layer, edits, later, log):
    """An undo that no one has looked at yet is recounted, though a save ends in between."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    snapshot = checksum(layer.data)
    log.clear()
    layer.undo()
    edits.mark_saved(snapshot)
    later.turn()
    assert log == ["recount"]
    assert edits.dirty


def test_closed(layer, edits, later, log):
    """After close nothing is told."""
    edits.close()
    layer.paint((1, 4, 4), 2)
    later.turn()
    assert log == []


def test_checksum_of_any_array():
    """Strided and wide arrays have checksums; one changed voxel changes it."""
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4).transpose(2, 0, 1)
    before = checksum(array)
    array[0, 0, 0] += 1
    assert checksum(array) != before


@pytest.mark.parametrize("step", ["undo", "redo"])
def test_undo_and_redo_of_a_hidden_layer(layer, edits, later, log, step):
    """napari says nothing of these; they are counted at once, and that nobody saw them is told."""
    edits.on_unseen.append(lambda: log.append("unseen"))
    layer.paint((1, 4, 4), 2)
    if step == "redo":
        layer.undo()
    later.turn()
    log.clear()
    layer.visible = False
    getattr(layer, step)()
    assert log == ["recount", f"dirty {step == 'redo'}", "unseen"]
    log.clear()
    getattr(layer, step)()  # there is nothing more to undo or redo
    later.turn()
    assert log == []


def test_closed_edits_leave_the_layer_as_it_was(layer, edits):
    """Undo and redo are napari's own again."""
    edits.close()
    assert not {"undo", "redo"} & set(vars(layer))


def test_undo_after_assigned_data(layer, edits, later):
    """Another program assigns data: undo takes just that back, then the strokes before it."""
    empty = layer.data.copy()
    layer.paint((1, 4, 4), 2)
    painted = layer.data.copy()
    assigned = np.roll(painted, 1, axis=0)
    layer.data = assigned
    later.turn()
    for step, expected in (
        (layer.undo, painted),
        (layer.redo, assigned),
        (layer.undo, painted),
        (layer.undo, empty),
        (layer.undo, empty),
    ):
        step()
        later.turn()
        np.testing.assert_array_equal(layer.data, expected)
    assert not edits.dirty


def test_assigned_data_of_another_shape(layer, edits, later):
    """No earlier step fits any more: there is nothing to undo, and no error."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    layer.data = np.ones((4, 8, 9), np.uint8)
    later.turn()
    layer.undo()
    assert layer.data.all()


def test_the_same_array_again(layer, edits, later):
    """Assigned to draw it anew, it is no step."""
    layer.paint((1, 4, 4), 2)
    later.turn()
    layer.data = layer.data
    layer.undo()
    assert not layer.data.any()
