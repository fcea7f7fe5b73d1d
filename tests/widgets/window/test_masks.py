"""Masks in a real window: from a model, under the brush, and their live scores."""

import threading

import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.metrics.surface import hd95
from napari_brats.plugin.tags import tag_of
from napari_brats.regions import region_mask

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


def test_segmenting(opened, run_model, dice):
    """The mask arrives as a new editable layer, alone in sight, with perfect scores."""
    mask = run_model()
    assert mask.editable
    assert mask.visible
    assert not opened.viewer.layers[4].visible
    assert dice() == ["1.000"] * 3
    assert opened.run.segment.isEnabled()
    assert opened.run.words.text().startswith("done")
    assert opened.models.devices.itemText(0) == "auto: CPU, float32"
    opened.models.mirror.click()
    assert tag_of(run_model().metadata).title == "net-lite-mirrored"


def test_painting_with_the_mouse(opened, qtbot, hand, run_model, dice):
    """A stroke of the mouse changes voxels and table; undo and redo bring both back."""
    mask = run_model()
    before, voxels = dice(), mask.data.copy()
    mask.mode, mask.selected_label, mask.brush_size = "paint", 3, 3
    hand(opened.viewer).drag((0, 0), (30, 0))
    changed = mask.data != voxels
    assert changed.sum() > 3
    assert (mask.data[changed] == 3).all()
    assert set(np.nonzero(changed)[0]) == {opened.viewer.dims.current_step[0]}
    after = dice()
    assert after != before
    assert opened.masks.masks.currentText().startswith("\u2022")
    mask.undo()
    qtbot.waitUntil(lambda: dice() == before)
    np.testing.assert_array_equal(mask.data, voxels)
    mask.redo()
    qtbot.waitUntil(lambda: dice() == after)


@pytest.mark.slow
def test_distances_and_change_follow_every_way_to_edit(opened, qtbot, run_model):
    """After a stroke, undo, redo, an edit of many voxels, new data and a direct write."""
    mask = run_model()
    reference = opened.viewer.layers[4].data
    first = [score.dice for score in score_regions(joint_counts(mask.data, reference), 1).values()]

    def expected():
        found = []
        joint = score_regions(joint_counts(mask.data, reference), 1)
        for place, (name, score) in enumerate(joint.items()):
            mm = hd95(region_mask(mask.data, name), region_mask(reference, name), mask.scale)
            found.append((f"{score.dice - first[place]:+.3f}", f"{mm:.1f}" if mm < 1e9 else "-"))
        return found

    def direct():
        mask.data[2:4, 3:9, 4:8] = 2
        mask.refresh()

    changes = (
        lambda: mask.paint((9, 11, 10), 3),
        mask.undo,
        mask.redo,
        lambda: mask.data_setitem(np.nonzero(mask.data == 3), 0),
        lambda: setattr(mask, "data", np.roll(reference, 2, axis=1)),
        direct,
    )
    for change in changes:
        change()
        qtbot.waitUntil(lambda: table(opened) == expected(), timeout=20_000)


def table(widget):
    cells = widget.masks.table
    return [(cells.item(row, 2).text(), cells.item(row, 3).text()) for row in range(3)]


def test_cancelling(opened, qtbot, fake_segment):
    """Cancel stops at the next window; no layer comes and the next run can start."""
    preparing, entered, *gates = (threading.Event() for _ in range(4))

    def slow(patient, *, on_step, **_):
        on_step(0, 0)
        preparing.set()
        gates[0].wait(10)
        on_step(1, 100)
        entered.set()
        gates[1].wait(10)
        on_step(2, 100)
        raise AssertionError("the second step must not return")

    opened.run_control.segment = slow
    opened.run.segment.click()
    qtbot.waitUntil(preparing.is_set)
    qtbot.wait(50)
    assert opened.run.bar.isVisible()
    assert opened.run.bar.maximum() == 0  # Qt's bar for work of unknown length
    assert "window" not in opened.run.words.text()
    gates[0].set()
    qtbot.waitUntil(entered.is_set)
    qtbot.waitUntil(lambda: "window 1 of 100" in opened.run.words.text())
    assert not opened.run.segment.isEnabled()
    opened.run.cancel.click()
    gates[1].set()
    qtbot.waitUntil(lambda: opened.run_control.idle)
    assert opened.masks_shown() == []
    assert opened.run.segment.isEnabled()
    assert "stopped" in opened.run.words.text()


@pytest.mark.slow
def test_a_failed_run(opened, qtbot, notices):
    """No weights, or an error of the run: one notice; layers and buttons are as before."""
    opened.models.model = lambda: None
    opened.run.segment.click()
    assert "napari-brats train" in notices.pop()
    opened.models.model = lambda: "net"

    def failing(patient, **_):
        raise CaseError("'t2' is missing; choose another model")

    opened.run_control.segment = failing
    opened.run.segment.click()
    qtbot.waitUntil(lambda: opened.run_control.idle)
    assert notices == ["'t2' is missing; choose another model"]
    assert opened.masks_shown() == []
    assert opened.run.segment.isEnabled()


@pytest.mark.slow
def test_a_result_for_a_patient_that_was_put_away(opened, qtbot, held, notices, open_row):
    """The mask never lands on another patient; it waits until its own is open again."""
    opened.run_control.segment, gate = held
    opened.run.segment.click()
    open_row(1)
    gate.set()
    qtbot.waitUntil(lambda: opened.run_control.idle)
    assert opened.masks_shown() == []
    assert any("is ready; open that patient" in notice for notice in notices)
    open_row(0)
    qtbot.waitUntil(lambda: len(opened.masks_shown()) == 1)
    assert tag_of(opened.masks_shown()[0].metadata).case_id == ID


@pytest.mark.slow
def test_the_mask_of_the_menu_is_shown(opened, run_model):
    """Two runs: the mask that is chosen in the menu is the one on the canvas."""
    first = run_model()
    second = run_model()
    assert (first.visible, second.visible) == (False, True)
    opened.masks.masks.setCurrentIndex(0)
    opened.masks.masks.activated.emit(0)
    assert (first.visible, second.visible) == (True, False)
