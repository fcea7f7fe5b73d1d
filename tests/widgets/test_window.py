"""The Segment widget in a real window: opening, painting, running, saving, closing."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QCloseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_brats.case import load_mask
from napari_brats.errors import CaseError, OutputError
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.metrics.surface import hd95
from napari_brats.plugin.tags import tag_of
from napari_brats.regions import region_mask
from napari_brats.widgets.close_guard import Answer

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


@pytest.fixture
def opened(widget, data, qtbot):
    """Return the widget with the first patient open."""
    widget.open(data)
    qtbot.waitUntil(lambda: len(widget.patients.rows()) == 2)
    open_row(widget, qtbot, 0)
    return widget


def open_row(widget, qtbot, place):
    row = widget.patients.rows()[place]
    widget.patients.list.itemClicked.emit(widget.patients.list.topLevelItem(place), 0)
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
    assert any(layer.metadata["case_id"] == row.files.case_id for layer in widget.viewer.layers)


def run_model(widget, qtbot):
    count = len(widget.masks_shown())
    widget.run.segment.click()
    qtbot.waitUntil(lambda: len(widget.masks_shown()) > count, timeout=20_000)
    qtbot.waitUntil(lambda: widget.run_control.idle and dice(widget)[0] != "-", timeout=20_000)
    return widget.masks.mask()


def dice(widget):
    return [widget.masks.table.item(row, 1).text() for row in range(3)]


def test_opening_a_patient(opened):
    """The list shows both patients; the chosen one is on the desk, its reference read-only."""
    names = [layer.name.split()[0] for layer in opened.viewer.layers]
    assert names == ["T2", "T1", "T1ce", "FLAIR", "reference"]
    assert [layer.visible for layer in opened.viewer.layers] == [False, False, False, True, True]
    assert not opened.viewer.layers[-1].editable
    assert opened.viewer.canvas.overlays["brats_left"].text == "R"
    states = [opened.patients.list.topLevelItem(0).text(column) for column in range(3)]
    assert states == [ID, "reference", "-"]


def test_the_next_patient_replaces_it(opened, qtbot):
    """Opening the second patient leaves only its layers."""
    open_row(opened, qtbot, 1)
    assert {layer.metadata["case_id"] for layer in opened.viewer.layers} == {"BraTS2021_00001"}
    assert not opened.viewer.layers[-1].editable


def test_a_damaged_patient_leaves_the_one_at_hand(opened, data, qtbot, notices):
    """A truncated file is told by name; the patient at hand stays."""
    broken = data / "BraTS2021_00001" / "BraTS2021_00001_t2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:400])
    opened.patients.list.itemClicked.emit(opened.patients.list.topLevelItem(1), 0)
    qtbot.waitUntil(lambda: bool(notices))
    qtbot.waitUntil(lambda: opened.patient_control.idle)
    assert broken.name in notices[0]
    assert {layer.metadata["case_id"] for layer in opened.viewer.layers} == {ID}


def test_segmenting(opened, qtbot):
    """The mask arrives as a new editable layer, alone in sight, with perfect scores."""
    mask = run_model(opened, qtbot)
    assert mask.editable
    assert mask.visible
    assert not opened.viewer.layers[4].visible
    assert dice(opened) == ["1.000"] * 3
    assert opened.run.segment.isEnabled()
    assert opened.run.words.text().startswith("done")
    assert opened.models.devices.itemText(0) == "auto: CPU, float32"
    opened.models.mirror.click()
    assert tag_of(run_model(opened, qtbot).metadata).title == "net-lite-mirrored"


def test_painting_with_the_mouse(opened, qtbot, hand):
    """A stroke of the mouse changes voxels and table; undo and redo bring both back."""
    mask = run_model(opened, qtbot)
    before, voxels = dice(opened), mask.data.copy()
    mask.mode, mask.selected_label, mask.brush_size = "paint", 3, 3
    hand(opened.viewer).drag((0, 0), (30, 0))
    changed = mask.data != voxels
    assert changed.sum() > 3
    assert (mask.data[changed] == 3).all()
    assert set(np.nonzero(changed)[0]) == {opened.viewer.dims.current_step[0]}
    after = dice(opened)
    assert after != before
    assert opened.masks.masks.currentText().startswith("\u2022")
    mask.undo()
    qtbot.waitUntil(lambda: dice(opened) == before)
    np.testing.assert_array_equal(mask.data, voxels)
    mask.redo()
    qtbot.waitUntil(lambda: dice(opened) == after)


@pytest.mark.slow
def test_distances_and_change_follow_every_way_to_edit(opened, qtbot):
    """After a stroke, undo, redo, an edit of many voxels, new data and a direct write."""
    mask = run_model(opened, qtbot)
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
    entered, gate = threading.Event(), threading.Event()

    def slow(patient, *, on_step, **_):
        on_step(1, 100)
        entered.set()
        gate.wait(10)
        on_step(2, 100)
        raise AssertionError("the second step must not return")

    opened.run_control.segment = slow
    opened.run.segment.click()
    qtbot.waitUntil(entered.is_set)
    qtbot.waitUntil(lambda: "window 1 of 100" in opened.run.words.text())
    assert not opened.run.segment.isEnabled()
    opened.run.cancel.click()
    gate.set()
    qtbot.waitUntil(lambda: opened.run_control.idle)
    assert opened.masks_shown() == []
    assert opened.run.segment.isEnabled()
    assert "stopped" in opened.run.words.text()


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


def test_a_result_for_a_patient_that_was_put_away(opened, qtbot, fake_segment, notices):
    """The mask never lands on another patient; it waits until its own is open again."""
    gate = threading.Event()

    def slow(patient, **options):
        gate.wait(20)
        return fake_segment(patient, **options)

    opened.run_control.segment = slow
    opened.run.segment.click()
    open_row(opened, qtbot, 1)
    gate.set()
    qtbot.waitUntil(lambda: opened.run_control.idle)
    assert opened.masks_shown() == []
    assert any("is ready; open that patient" in notice for notice in notices)
    open_row(opened, qtbot, 0)
    qtbot.waitUntil(lambda: len(opened.masks_shown()) == 1)
    assert tag_of(opened.masks_shown()[0].metadata).case_id == ID


def test_saving(opened, data, qtbot):
    """Save writes beside the patient, clears the dot, and marks the list."""
    mask = run_model(opened, qtbot)
    mask.paint((3, 3, 3), 2)
    opened.masks.save.click()
    path = data / ID / f"{ID}_net-lite_mask.nii.gz"
    qtbot.waitUntil(path.exists)
    qtbot.waitUntil(lambda: not opened.masks.masks.currentText().startswith("\u2022"))
    tag = tag_of(mask.metadata)
    found, _ = load_mask(path, opened.patient_control._desk.case().convention)
    np.testing.assert_array_equal(tag.display.to_display(found), mask.data)
    assert opened.patients.list.topLevelItem(0).text(2) == "segmented"


def test_saving_over_a_source(opened, data, qtbot, notices):
    """Save as refuses a source file; the mask stays unsaved and the file as it was."""
    mask = run_model(opened, qtbot)
    mask.paint((3, 3, 3), 2)
    source = data / ID / f"{ID}_seg.nii.gz"
    before = source.read_bytes()
    opened.mask_control.save(source)
    qtbot.waitUntil(lambda: any("never overwritten" in notice for notice in notices))
    assert source.read_bytes() == before
    assert opened.mask_control.book.unsaved() == [mask]


def test_closing(opened, data, qtbot, monkeypatch, notices):
    """Untouched: no question. Edited: stay holds the window, save and discard let it close."""
    asked = []
    answers = []

    def held():
        return opened._guard.eventFilter(opened.window(), QCloseEvent())

    opened.ask = lambda titles: asked.append(titles) or answers.pop()
    mask = run_model(opened, qtbot)
    assert not held()
    assert asked == []
    mask.paint((3, 3, 3), 2)
    answers.append(Answer.STAY)
    opened.window().close()
    assert opened.window().isVisible()
    answers.append(Answer.DISCARD)
    assert not held()
    answers.append(Answer.SAVE)
    with monkeypatch.context() as patch:
        patch.setattr("napari_brats.widgets.saving.save_segmentation", _full_disk)
        assert held()
    assert "disk is full" in notices[-1]
    answers.append(Answer.SAVE)
    assert not held()
    assert (data / ID / f"{ID}_net-lite_mask.nii.gz").exists()
    assert asked == [[mask.name]] * 4


def _full_disk(segmentation, path, **_):
    raise OutputError("the disk is full; free some space or choose another folder")


def test_leaving_a_patient_and_comparing(opened, qtbot):
    """Stay keeps unsaved edits on the desk; Compare outlines the reference until the next mask."""
    mask = run_model(opened, qtbot)
    mask.paint((3, 3, 3), 2)
    opened.ask = lambda titles: Answer.STAY
    opened.patients.list.itemClicked.emit(opened.patients.list.topLevelItem(1), 0)
    assert opened.patient_control.idle
    assert mask in opened.viewer.layers
    opened.ask = lambda titles: Answer.DISCARD
    opened.masks.compare.click()
    assert opened.viewer.layers[4].contour == 1
    run_model(opened, qtbot)
    assert opened.viewer.layers[4].contour == 0
    assert not opened.masks.compare.isChecked()


def test_the_dock_is_for_everybody(opened):
    """Names for screen readers, tooltips, 320 pixels, and the cursor in the status bar."""
    controls = [
        *(opened.patients.path, opened.patients.browse, opened.patients.list),
        *(opened.models.models, opened.models.info, opened.models.devices),
        *(opened.run.segment, opened.run.cancel, opened.masks.compare),
        *(opened.masks.masks, opened.masks.table, opened.masks.save, opened.masks.save_as),
    ]
    assert all(control.accessibleName() and control.toolTip() for control in controls)
    assert opened.findChild(QScrollArea).widget().minimumSizeHint().width() <= 320
    reference = opened.viewer.layers[-1]
    index = np.argwhere(reference.data == 2)[0]
    opened.viewer.cursor.position = tuple(reference.data_to_world(index))
    x, y, z = tag_of(reference.metadata).display.file_index(index.astype(float)).astype(int)
    assert opened._status.text().endswith(f"mm, voxel {x} {y} {z}, edema")


def test_what_cannot_be_done_is_told(widget, qtbot, notices, tmp_path):
    """A wrong path, no patient, a model without weights: one notice each, nothing else."""
    widget.open(tmp_path / "missing")
    qtbot.waitUntil(lambda: bool(notices))
    assert "does not exist" in notices[0]
    assert len(widget.viewer.layers) == 0
    widget.run_control.start()
    assert "no patient is open" in notices[-1]
    assert widget.run_control.idle


def test_a_passing_wheel_changes_no_menu(opened, qtbot):
    """Scrolling the dock does not change model, device or mask on the way."""
    menu = opened.models.devices
    before = menu.currentIndex()
    event = QWheelEvent(
        QPointF(5, 5), QPointF(menu.mapToGlobal(QPoint(5, 5))), QPoint(0, -120), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    menu.clearFocus()
    QApplication.sendEvent(menu, event)
    assert menu.currentIndex() == before


def test_the_mask_of_the_menu_is_shown(opened, qtbot):
    """Two runs: the mask that is chosen in the menu is the one on the canvas."""
    first = run_model(opened, qtbot)
    second = run_model(opened, qtbot)
    assert (first.visible, second.visible) == (False, True)
    opened.masks.masks.setCurrentIndex(0)
    opened.masks.masks.activated.emit(0)
    assert (first.visible, second.visible) == (True, False)
