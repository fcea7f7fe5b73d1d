"""Saving and closing in a real window."""

import numpy as np
import pytest
from qtpy.QtGui import QCloseEvent

from napari_brats.case import load_mask
from napari_brats.errors import OutputError
from napari_brats.plugin.tags import tag_of
from napari_brats.widgets.close_guard import Answer

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


def test_saving(opened, data, qtbot, run_model):
    """Save writes beside the patient, clears the dot, and marks the list."""
    mask = run_model()
    mask.paint((3, 3, 3), 2)
    opened.masks.save.click()
    path = data / ID / f"{ID}_net-lite_mask.nii.gz"
    qtbot.waitUntil(path.exists)
    qtbot.waitUntil(lambda: not opened.masks.masks.currentText().startswith("\u2022"))
    tag = tag_of(mask.metadata)
    found, _ = load_mask(path, opened.patient_control._desk.case().convention)
    np.testing.assert_array_equal(tag.display.to_display(found), mask.data)
    assert opened.patients.list.topLevelItem(0).text(2) == "segmented"


@pytest.mark.slow
def test_saving_over_a_source(opened, data, qtbot, notices, run_model):
    """Save as refuses a source file; the mask stays unsaved and the file as it was."""
    mask = run_model()
    mask.paint((3, 3, 3), 2)
    source = data / ID / f"{ID}_seg.nii.gz"
    before = source.read_bytes()
    opened.mask_control.save(source)
    qtbot.waitUntil(lambda: any("never overwritten" in notice for notice in notices))
    assert source.read_bytes() == before
    assert opened.mask_control.book.unsaved() == [mask]


def test_closing(opened, data, monkeypatch, notices, run_model):
    """Untouched: no question. Edited: stay holds the window, save and discard let it close."""
    asked = []
    answers = []

    def held():
        return opened._guard.eventFilter(opened.window(), QCloseEvent())

    opened.ask = lambda titles: asked.append(titles) or answers.pop()
    mask = run_model()
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


@pytest.mark.slow
def test_leaving_a_patient_and_comparing(opened, run_model):
    """Stay keeps unsaved edits on the desk; Compare outlines the reference until the next mask."""
    mask = run_model()
    mask.paint((3, 3, 3), 2)
    opened.ask = lambda titles: Answer.STAY
    opened.patients.list.itemClicked.emit(opened.patients.list.topLevelItem(1), 0)
    assert opened.patient_control.idle
    assert mask in opened.viewer.layers
    opened.ask = lambda titles: Answer.DISCARD
    opened.masks.compare.click()
    assert opened.viewer.layers[4].contour == 1
    run_model()
    assert opened.viewer.layers[4].contour == 0
    assert not opened.masks.compare.isChecked()
