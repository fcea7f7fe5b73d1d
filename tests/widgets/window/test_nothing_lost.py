"""Edits and results survive what a person does meanwhile: switching, saving, closing."""

import threading

import pytest
from qtpy.QtGui import QCloseEvent

from napari_brats.case import save_segmentation
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.segment import SegmentWidget

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


@pytest.fixture
def gate(monkeypatch):
    """Hold every save until the gate is opened."""
    gate = threading.Event()

    def slow(segmentation, path, **how):
        gate.wait(20)
        return save_segmentation(segmentation, path, **how)

    monkeypatch.setattr("napari_brats.widgets.saving.save_segmentation", slow)
    return gate


@pytest.mark.slow
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


@pytest.mark.slow
def test_closing_the_dock_while_a_save_goes_on(masked, data, gate, qtbot):
    """The file is written all the same, and nobody is told who is gone."""
    masked.mask_control.save()
    task = masked.mask_control._saving
    masked.mask_control.close()
    masked.mask_control._saving_ended = masked.mask_control._saved = pytest.fail
    with qtbot.waitSignal(task.worker.finished, timeout=20_000):
        gate.set()
    assert (data / ID / f"{ID}_net-lite_mask.nii.gz").exists()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_run_outlives_its_dock(masked, qtbot, held):
    """The dock is closed during a run and opened again: the mask still comes."""
    masked.run_control.segment, gate = held
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


@pytest.mark.slow
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
