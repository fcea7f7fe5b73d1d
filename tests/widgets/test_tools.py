"""Whole-volume tools in a real window: preview, apply, undo, scores, journal, refusals."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_brats.editing.journal import read_journal
from napari_brats.editing.tools import functions
from napari_brats.editing.tools.table import TOOLS
from napari_brats.errors import CaseError
from napari_brats.plugin.tags import PREVIEW, tag_of
from napari_brats.plugin.writer import write_labels
from napari_brats.widgets.tool_work import (
    CHANGED_MEANWHILE,
    LIMITS_CHANGED,
    NO_PLACE,
    NOTHING,
    STALE,
)

pytestmark = pytest.mark.gui


@pytest.fixture
def tools(widget, data, qtbot):
    """Return the widget with a patient and its mask, the Tools panel unfolded."""
    widget.open(data / "BraTS2021_00000")
    qtbot.waitUntil(lambda: len(widget.patients.rows()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
    widget.run.segment.click()
    qtbot.waitUntil(lambda: len(widget.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: widget.run_control.idle and dice(widget)[0] != "-", timeout=20_000)
    widget.tools.head.setChecked(True)
    return widget


def dice(widget):
    return [widget.masks.table.item(row, 1).text() for row in range(3)]


def choose(widget, tool, **values):
    panel = widget.tools
    panel.tools.setCurrentIndex(panel.tools.findData(tool))
    for name, value in values.items():
        panel.form.box(name).setValue(value)


def press(widget, qtbot, button):
    getattr(widget.tools, button).click()
    qtbot.waitUntil(lambda: widget.tool_control.idle, timeout=20_000)


def previews(widget):
    found = [(layer, tag_of(layer.metadata)) for layer in widget.viewer.layers]
    return [layer for layer, tag in found if tag is not None and tag.role == PREVIEW]


def test_preview_apply_undo_redo(tools, qtbot):
    """A preview is no edit; Apply is one step, undo and redo exact; table and journal follow."""
    mask = tools.masks.mask()
    before = mask.data.copy()
    choose(tools, "grow", mm=2)
    press(tools, qtbot, "preview")
    (shown,) = previews(tools)
    assert not shown.editable
    assert tools.viewer.layers.selection.active is mask
    assert tools.masks_shown() == [mask]
    assert not tools.mask_control.journals.paths()
    assert dice(tools) == ["1.000"] * 3
    np.testing.assert_array_equal(mask.data, before)
    assert "edema +" in tools.tools.words.text()
    steps = len(mask._undo_history)
    tools.tools.apply.click()
    after = mask.data.copy()
    assert not previews(tools)
    assert len(mask._undo_history) == steps + 1
    np.testing.assert_array_equal(after[before > 0], before[before > 0])
    np.testing.assert_array_equal(after != before, shown.data > 0)
    qtbot.waitUntil(lambda: dice(tools)[0] != "1.000")
    scores = dice(tools)
    qtbot.waitUntil(lambda: bool(tools.mask_control.journals.paths()))
    qtbot.waitUntil(lambda: journaled(tools, after))
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    qtbot.waitUntil(lambda: dice(tools) == ["1.000"] * 3)
    mask.redo()
    np.testing.assert_array_equal(mask.data, after)
    qtbot.waitUntil(lambda: dice(tools) == scores)


def journaled(widget, voxels):
    """Return whether the mask's journal tells these voxels."""
    return any(
        np.array_equal(read_journal(path).voxels, voxels)
        for path in widget.mask_control.journals.paths()
    )


@pytest.mark.slow
def test_a_preview_follows_and_goes(tools, qtbot):
    """Another value shows another change; Cancel takes it away; so does an edit of the mask."""
    choose(tools, "grow", mm=1)
    press(tools, qtbot, "preview")
    small = np.count_nonzero(previews(tools)[0].data)
    choose(tools, "grow", mm=3)
    qtbot.waitUntil(lambda: tools.tool_control.idle and bool(previews(tools)))
    assert np.count_nonzero(previews(tools)[0].data) > small
    tools.tools.cancel.click()
    assert not previews(tools)
    press(tools, qtbot, "preview")
    mask = tools.masks.mask()
    mask.paint((0, 0, 0), 1)
    qtbot.waitUntil(lambda: not previews(tools))
    assert tools.tools.words.text() == STALE
    press(tools, qtbot, "preview")
    tools.viewer.layers.remove(previews(tools)[0])
    assert not tools.tools.cancel.isEnabled()


@pytest.mark.slow
def test_removed_voxels_are_white(tools, qtbot):
    """Shrinking shows what becomes background with a code of its own; it cannot be saved."""
    choose(tools, "shrink", mm=1)
    press(tools, qtbot, "preview")
    (shown,) = previews(tools)
    assert set(np.unique(shown.data)) == {0, 255}
    with pytest.raises(CaseError, match="press Apply"):
        write_labels("preview.nii.gz", shown.data, {"metadata": shown.metadata})


@pytest.fixture
def slow_grow(tools, monkeypatch):
    """Let Grow wait; return events: it has begun, it may go on."""
    entered, gate = threading.Event(), threading.Event()

    def slow(work, *, mm):
        entered.set()
        gate.wait(20)
        return functions.grow(work, mm=mm)

    choose(tools, "grow")
    tool = replace(TOOLS["grow"], function=slow)
    monkeypatch.setattr(tools.tools, "tool", lambda: tool)
    return entered, gate


@pytest.mark.slow
def test_a_mask_changed_meanwhile(tools, qtbot, slow_grow):
    """What was computed for other voxels is not written over them."""
    entered, gate = slow_grow
    mask = tools.masks.mask()
    tools.tools.apply.click()
    assert entered.wait(20)
    mask.paint((1, 1, 1), 3)
    expected = mask.data.copy()
    gate.set()
    qtbot.waitUntil(lambda: tools.tool_control.idle, timeout=20_000)
    assert tools.tools.words.text() == CHANGED_MEANWHILE
    np.testing.assert_array_equal(mask.data, expected)


@pytest.mark.slow
def test_cancelling_a_tool(tools, qtbot, slow_grow):
    """A tool that was cancelled changes nothing, although it comes to its end."""
    entered, gate = slow_grow
    mask = tools.masks.mask()
    before = mask.data.copy()
    tools.tools.apply.click()
    assert entered.wait(20)
    tools.tools.cancel.click()
    gate.set()
    qtbot.waitUntil(lambda: tools.tool_control.idle, timeout=20_000)
    assert tools.tools.words.text() == "stopped; nothing was changed"
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.slow
def test_limits_of_the_paint_panel_hold(tools, qtbot):
    """What is locked for the brush is locked for the tools."""
    tools.paint_control.painter.lock("WT", True)
    choose(tools, "grow", mm=3)
    press(tools, qtbot, "apply")
    assert tools.tools.words.text() == NOTHING
    tools.paint_control.painter.lock("WT", False)
    press(tools, qtbot, "preview")
    tools.paint_control.painter.lock("WT", True)
    before = tools.masks.mask().data.copy()
    tools.tools.apply.click()
    assert tools.tools.words.text() == LIMITS_CHANGED
    np.testing.assert_array_equal(tools.masks.mask().data, before)


@pytest.mark.slow
def test_growing_from_a_click(tools, qtbot):
    """Without a place the tool asks for one; a click gives it and shows what would be painted."""
    choose(tools, "seed", radius_mm=5)
    press(tools, qtbot, "preview")
    assert tools.tools.words.text() == NO_PLACE
    mask = tools.masks.mask()
    mask.data_setitem(np.nonzero(mask.data), 0)
    mask.mode = "paint"
    tools.tools.pick.click()
    assert mask.mode == "pan_zoom"
    click_middle(tools)
    qtbot.waitUntil(lambda: tools.tool_control.idle and bool(previews(tools)), timeout=20_000)
    assert mask.mode == "paint"
    assert not mask.data.any()
    assert tools.tools.place.text().startswith("R ")
    assert np.count_nonzero(previews(tools)[0].data) > 1


def click_middle(widget):
    """Press and release the mouse in the middle of the canvas."""
    native = widget.viewer.window._qt_viewer.canvas.native
    place = QPoint(native.width() // 2, native.height() // 2)
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, button, held in (
        (QEvent.Type.MouseMove, none, none),
        (QEvent.Type.MouseButtonPress, left, left),
        (QEvent.Type.MouseButtonRelease, left, none),
    ):
        spot, world = QPointF(place), QPointF(native.mapToGlobal(place))
        event = QMouseEvent(kind, spot, world, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(native, event)
        QApplication.processEvents()


@pytest.mark.slow
def test_segmenting_again_in_a_box(tools, qtbot):
    """The model's answer comes back inside the box only, in one step; it is not a new layer."""
    mask = tools.masks.mask()
    predicted = mask.data.copy()
    mask.data_setitem(np.nonzero(mask.data), 0)
    choose(tools, "box", edge_mm=5)
    middle = tuple(size // 2 for size in mask.data.shape)
    tools.tool_control._place.seed = middle
    press(tools, qtbot, "apply")
    expected = np.zeros_like(predicted)
    box = tuple(slice(at - 2, at + 3) for at in middle)
    expected[box] = predicted[box]
    assert expected.any()
    np.testing.assert_array_equal(mask.data, expected)
    assert tools.masks_shown() == [mask]


@pytest.mark.slow
def test_cancelling_the_model(tools, qtbot):
    """Cancel stops the model at its next window; nothing is changed."""
    entered = threading.Event()

    def endless(patient, *, on_step, **_):
        while True:
            on_step(1, 100)
            entered.set()

    tools.run_control.segment = endless
    mask = tools.masks.mask()
    before = mask.data.copy()
    choose(tools, "box")
    tools.tool_control._place.seed = (5, 5, 5)
    tools.tools.apply.click()
    assert entered.wait(20)
    tools.tools.cancel.click()
    qtbot.waitUntil(lambda: tools.tool_control.idle, timeout=20_000)
    assert tools.tools.words.text() == "stopped; nothing was changed"
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.slow
def test_taking_from_the_reference(tools, qtbot):
    """The core comes from the reference; the next patient ends preview and choice."""
    mask = tools.masks.mask()
    whole = mask.data.copy()
    mask.data_setitem(np.nonzero(mask.data == 3), 1)
    choose(tools, "take")
    assert tools.tools.other() is tools.mask_control.book.reference_of(mask)
    press(tools, qtbot, "apply")
    np.testing.assert_array_equal(mask.data, whole)
    press(tools, qtbot, "preview")
    assert tools.tools.words.text() == NOTHING
    tools.viewer.layers.remove(mask)
    assert not tools.tools.preview.isEnabled()
