"""Edits and results survive what a person does meanwhile: switching, saving, closing."""

import threading

import pytest
from qtpy.QtGui import QCloseEvent

from napari_brats.case import save_segmentation
from napari_brats.widgets import opening
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.segment import SegmentWidget

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
    saved = [path.name for path in (data / ID).glob(f"{ID}*_mask*")]
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


def open_slowly(masked, row, monkeypatch):
    """Begin to open a patient whose reading waits for the gate that is returned."""
    gate = threading.Event()
    plain = opening.load_case

    def slow(path, **how):
        gate.wait(20)
        return plain(path, **how)

    monkeypatch.setattr(opening, "load_case", slow)
    masked.patient_control.prefetch.drop()  # what was read ahead would come at once
    masked.patient_control.open(masked.patients.rows()[row])
    return gate


def test_a_result_that_comes_while_the_next_patient_is_read(masked, qtbot, monkeypatch, notices):
    """The mask is not put on a desk that is about to be cleared: it waits for its patient."""
    gate = open_slowly(masked, 1, monkeypatch)
    before = len(masked.masks_shown())
    masked.run.segment.click()
    qtbot.waitUntil(lambda: masked.run_control.idle, timeout=20_000)
    assert len(masked.masks_shown()) == before
    gate.set()
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert masked.masks_shown() == []
    masked.patient_control.open(masked.patients.rows()[0])
    qtbot.waitUntil(lambda: len(masked.masks_shown()) == 1, timeout=20_000)


def test_going_back_to_the_patient_at_hand(masked, qtbot, monkeypatch):
    """Clicked again before the next one has come, the patient stays, with its fresh mask."""
    mask = masked.masks.mask()
    gate = open_slowly(masked, 1, monkeypatch)
    masked.patient_control.open(masked.patients.rows()[0])
    gate.set()
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert masked.masks_shown() == [mask]
    assert masked.patients.list.currentItem().text(0) == ID


def test_a_damaged_neighbor_costs_no_mask(masked, data, qtbot, notices):
    """The next patient cannot be read: the one at hand stays chosen, and a click keeps its mask."""
    broken = data / "BraTS2021_00001" / "BraTS2021_00001_t2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:400])
    mask = masked.masks.mask()
    masked.patient_control.open(masked.patients.rows()[1])
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    masked.patient_control.open(masked.patients.rows()[0])
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert masked.masks_shown() == [mask]


def test_a_run_outlives_its_dock(masked, qtbot, fake_segment):
    """The dock is closed during a run and opened again: the mask still comes."""
    gate = threading.Event()

    def slow(patient, **options):
        gate.wait(20)
        return fake_segment(patient, **options)

    masked.run_control.segment = slow
    masked.run.segment.click()
    viewer = masked.viewer
    viewer.window.remove_dock_widget(masked)
    new = SegmentWidget(viewer)
    viewer.window.add_dock_widget(new, name="Segment")
    assert not new.run_control.idle
    gate.set()
    qtbot.waitUntil(lambda: len(new.masks_shown()) == 2, timeout=20_000)
    qtbot.waitUntil(lambda: new.run_control.idle)
    assert new.run.segment.isEnabled()


def test_quitting_asks_for_all_windows(masked, make_napari_viewer, qtbot):
    """napari's Quit empties every viewer: the other window's strokes are asked about first."""
    other = make_napari_viewer(show=True)
    second = SegmentWidget(other)
    other.window.add_dock_widget(second, name="Segment")
    qtbot.waitUntil(lambda: second._guard is not None)
    mask = masked.masks.mask()
    mask.paint((3, 3, 3), 2)
    asked = []
    masked.ask = lambda titles: asked.append(titles) or Answer.STAY
    window = second.window()
    window._quit_app = True
    window.close()
    assert window.isVisible()
    assert asked == [[mask.name]]
    assert not window._quit_app
    masked.ask = lambda titles: Answer.DISCARD
