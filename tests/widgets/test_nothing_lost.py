"""Edits and results survive what a person does meanwhile: switching, saving, closing."""

import threading

import pytest
from qtpy.QtGui import QCloseEvent

from napari_brats.case import save_segmentation
from napari_brats.widgets.close_guard import Answer

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


@pytest.fixture
def masked(widget, data, qtbot):
    """Return the widget with the first patient open and a mask of it."""
    widget.open(data)
    qtbot.waitUntil(lambda: len(widget.patients.rows()) == 2)
    widget.patient_control.open(widget.patients.rows()[0])
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
    widget.run.segment.click()
    qtbot.waitUntil(lambda: len(widget.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: widget.run_control.idle)
    return widget


@pytest.fixture
def gate(monkeypatch):
    """Hold every save until the gate is opened."""
    gate = threading.Event()

    def slow(segmentation, path, **how):
        gate.wait(20)
        return save_segmentation(segmentation, path, **how)

    monkeypatch.setattr("napari_brats.widgets.saving.save_segmentation", slow)
    return gate


def test_painting_while_the_next_patient_is_read(masked, qtbot):
    """Strokes made after the question are asked about before the mask goes; Stay keeps it."""
    mask = masked.masks.mask()
    asked = []
    masked.ask = lambda titles: asked.append(titles) or Answer.STAY
    masked.patient_control.open(masked.patients.rows()[1])
    mask.paint((3, 3, 3), 2)
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert asked == [[mask.name]]
    assert masked.mask_control.book.unsaved() == [mask]
    assert {layer.metadata["case_id"] for layer in masked.viewer.layers} == {ID}


def test_edits_given_up_are_asked_about_once(masked, qtbot):
    """Discard, and no further stroke: the next patient comes without a second question."""
    mask = masked.masks.mask()
    mask.paint((3, 3, 3), 2)
    asked = []
    masked.ask = lambda titles: asked.append(titles) or Answer.DISCARD
    masked.patient_control.open(masked.patients.rows()[1])
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert asked == [[mask.name]]
    assert mask not in masked.viewer.layers


def test_saving_while_a_save_goes_on(masked, data, gate, qtbot):
    """The second Save is not dropped: it follows, with the strokes made in between."""
    mask = masked.masks.mask()
    mask.paint((3, 3, 3), 2)
    masked.mask_control.save()
    mask.paint((4, 4, 4), 3)
    masked.mask_control.save()
    gate.set()
    qtbot.waitUntil(lambda: masked.mask_control.book.unsaved() == [], timeout=20_000)
    saved = [path.name for path in (data / ID).glob("*_mask*")]
    assert saved == [f"{ID}_net-lite_mask.nii.gz"]


def test_closing_the_dock_while_a_save_goes_on(masked, data, gate, qtbot):
    """The file is written all the same, and nobody is told who is gone."""
    masked.mask_control.save()
    task = masked.mask_control._saving
    masked.mask_control.close()
    masked.mask_control._saving_ended = masked.mask_control._saved = pytest.fail
    with qtbot.waitSignal(task.worker.finished, timeout=20_000):
        gate.set()
    assert (data / ID / f"{ID}_net-lite_mask.nii.gz").exists()


def test_an_unexpected_error_holds_the_window(masked, notices, monkeypatch):
    """Save on closing fails in a way nobody thought of: the window stays, the edits too."""
    mask = masked.masks.mask()
    mask.paint((3, 3, 3), 2)
    masked.ask = lambda titles: Answer.SAVE

    def broken(segmentation, path, **_):
        raise RuntimeError("unthought of")

    errors = []
    monkeypatch.setattr("napari_brats.widgets.saving.save_segmentation", broken)
    monkeypatch.setattr("napari_brats.widgets.mask_control.notify_error", errors.append)
    assert not masked.mask_control.may_close()
    assert [str(error) for error in errors] == ["unthought of"]
    assert masked.mask_control.book.unsaved() == [mask]
    masked.ask = lambda titles: Answer.DISCARD


def test_edits_outlive_their_dock(masked, qtbot):
    """The dock closed with its x: edits are followed and asked about on; a new dock takes over."""
    from napari_brats.widgets.segment import SegmentWidget

    window, viewer, mask = masked.window(), masked.viewer, masked.masks.mask()
    viewer.window.remove_dock_widget(masked)
    mask.paint((3, 3, 3), 2)
    asked = []
    masked.ask = lambda titles: asked.append(titles) or Answer.STAY
    window.close()
    assert window.isVisible()
    assert asked == [[mask.name]]
    new = SegmentWidget(viewer)
    viewer.window.add_dock_widget(new, name="Segment")
    new.ask = lambda titles: asked.append(titles) or Answer.DISCARD
    qtbot.waitUntil(lambda: new._guard is not None)
    assert new.mask_control.book.unsaved() == [mask]
    assert not new._guard.eventFilter(window, QCloseEvent())
    assert asked == [[mask.name]] * 2
    with pytest.raises(RuntimeError, match="deleted"):
        masked.isVisible()
