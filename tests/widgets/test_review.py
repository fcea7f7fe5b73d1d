"""The Review panel in a real window: marks, time, the next case read ahead, no torch."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_brats.editing.review import mark, read_review
from napari_brats.editing.states import State
from napari_brats.naming import recognize
from napari_brats.volumes import sha256_of

pytestmark = [pytest.mark.gui, pytest.mark.slow]

FIRST, SECOND = "BraTS2021_00000", "BraTS2021_00001"


@pytest.fixture
def desk(widget, data, qtbot):
    """Return the widget with two patients listed and the first one open."""
    widget.review.reader.setText("Ada")
    widget.review_control._name("Ada")
    widget.open(data)
    qtbot.waitUntil(lambda: len(widget.patients.rows()) == 2, timeout=20_000)
    widget.patient_control.open(widget.patients.rows()[0])
    arrived(widget, qtbot, FIRST)
    return widget


def arrived(widget, qtbot, case_id):
    qtbot.waitUntil(
        lambda: (
            widget.patient_control.idle
            and bool(widget.viewer.layers)
            and widget.viewer.layers[0].metadata["case_id"] == case_id
        ),
        timeout=20_000,
    )
    qtbot.waitUntil(lambda: widget.reviews.idle, timeout=20_000)


def segmented(widget, qtbot):
    widget.run.segment.click()
    qtbot.waitUntil(lambda: len(widget.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: widget.run_control.idle, timeout=20_000)
    return widget.masks.mask()


def choose(widget, qtbot, state):
    widget.review.show_state(state)
    widget.review.mark.click()
    qtbot.waitUntil(lambda: state.capitalize() in widget.review.words.text(), timeout=20_000)


def test_done_saves_first_and_stands_for_that_mask(desk, data, qtbot):
    """Unsaved edits are saved, then the mask's hash, the notes and the time are written down."""
    mask = segmented(desk, qtbot)
    mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    desk.review.notes.setPlainText("rim?")
    desk.review_control._clock.seconds = 75.0
    choose(desk, qtbot, State.DONE)
    review = read_review(recognize(data / FIRST))
    (entry,) = review.entries
    assert (entry.reader, entry.notes, entry.state) == ("Ada", "rim?", State.DONE)
    assert 75 <= entry.seconds < 200
    assert entry.mask_sha256 == sha256_of(data / FIRST / entry.mask)
    assert not desk.masks.masks.currentText().startswith("\u2022")
    assert desk.patients.list.topLevelItem(0).text(2) == "done"
    assert desk.review_control.seconds < 60


def test_a_mark_needs_a_name_and_a_mask(desk, data, qtbot, notices):
    """Nobody, or nothing to stand for: told, and nothing is written."""
    desk.review.reader.clear()
    desk.review.mark.click()
    assert "type your name" in notices[-1]
    desk.review.reader.setText("Ada")
    desk.review.show_state(State.DONE)
    desk.review.mark.click()
    qtbot.waitUntil(lambda: "no saved mask" in notices[-1], timeout=20_000)
    assert read_review(recognize(data / FIRST)).entries == ()


def test_work_that_nobody_marked_is_in_progress(desk, data, qtbot):
    """Going on after an edit writes "in progress" down; without an edit nothing."""
    mask = segmented(desk, qtbot)
    mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    desk.review.before.click()
    arrived(desk, qtbot, FIRST)
    qtbot.waitUntil(lambda: "In progress" in desk.review.words.text(), timeout=20_000)
    assert read_review(recognize(data / FIRST)).state is State.IN_PROGRESS
    assert read_review(recognize(data / SECOND)).entries == ()


def test_a_second_reader_sees_the_first(desk, data, qtbot):
    """What somebody else wrote is shown, and how the cases stand is in the list."""
    mark(recognize(data / SECOND), State.IN_PROGRESS, "Ben", notes="left lobe", seconds=120)
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    qtbot.waitUntil(lambda: "says Ben" in desk.review.words.text(), timeout=20_000)
    assert desk.review.notes.toPlainText() == "left lobe"
    assert "2 min in all" in desk.review.words.text()
    assert desk.review.state() is State.IN_PROGRESS
    assert not desk.review.after.isEnabled()
    assert desk.patients.list.topLevelItem(1).text(2) == "in progress"


def test_the_next_case_is_read_ahead(desk, data, qtbot, monkeypatch):
    """It comes from memory, the same as from its files; a mask saved meanwhile is not missed."""
    prefetch = desk.patient_control.prefetch
    qtbot.waitUntil(lambda: prefetch.ready and prefetch._next is not None, timeout=20_000)
    read = []
    real = sys.modules["napari_brats.widgets.prefetch"].read_layers
    monkeypatch.setattr(
        "napari_brats.widgets.prefetch.read_layers",
        lambda image, *rest: (read.append(image), real(image, *rest))[1],
    )
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    assert all(SECOND not in str(image) for image in read)
    ahead = [np.array(layer.data) for layer in desk.viewer.layers]
    desk.review.before.click()
    arrived(desk, qtbot, FIRST)
    qtbot.waitUntil(lambda: prefetch.ready and prefetch._next is not None, timeout=20_000)
    later = time.time_ns() + 10**9
    for path in (data / SECOND).glob("*_seg.nii.gz"):
        os.utime(path, ns=(later, later))
    read.clear()
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    assert any(SECOND in str(image) for image in read)
    for layer, voxels in zip(desk.viewer.layers, ahead, strict=True):
        np.testing.assert_array_equal(layer.data, voxels)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import napari
import numpy as np
from qtpy.QtWidgets import QApplication
from napari_brats.editing.states import State
from napari_brats.widgets.segment import SegmentWidget

viewer = napari.Viewer()
widget = SegmentWidget(viewer)
viewer.window.add_dock_widget(widget)
widget.open(sys.argv[1])
def until(done):
    for _ in range(4000):
        QApplication.processEvents()
        if done():
            return
        __import__("time").sleep(0.01)
    raise SystemExit("nothing came")
until(lambda: widget.patient_control.idle and len(viewer.layers) == 5)
reference = viewer.layers[-1]
mask = viewer.add_labels(
    np.array(reference.data),
    **{name: getattr(reference, name) for name in ("scale", "translate", "units", "axis_labels")},
)
mask.paint((9, 11, 10), 2)
widget.places.head.setChecked(True)
until(lambda: widget.places_control.idle and widget.places.list.topLevelItemCount())
widget.review.reader.setText("Ada")
widget.review.show_state(State.DONE)
widget.review.mark.click()
until(lambda: "says Ada" in widget.review.words.text())
viewer.close()
"""


def test_reviewing_needs_no_torch(data, tmp_path):
    """With torch kept from being imported a case is opened, corrected, compared, saved, marked."""
    settings = {"NAPARI_CONFIG": str(tmp_path / "settings.yaml")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(data / FIRST)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, **settings},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_review(recognize(data / FIRST)).state is State.DONE


def test_a_mark_belongs_to_the_case_it_was_made_of(desk, data, qtbot, monkeypatch):
    """Marked done, and on to the next before the mask is saved: the first case is the done one."""
    from napari_brats.case import save_segmentation
    from napari_brats.widgets.close_guard import Answer

    waits = [4.0]

    def slow(segmentation, path, **how):
        time.sleep(waits.pop() if waits else 0)
        return save_segmentation(segmentation, path, **how)

    desk.ask = lambda titles: Answer.SAVE
    monkeypatch.setattr("napari_brats.widgets.saving.save_segmentation", slow)
    mask = segmented(desk, qtbot)
    mask.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    qtbot.wait(1)  # a person clicks in a later turn, when the edit was counted
    desk.review.show_state(State.DONE)
    desk.review.mark.click()
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    qtbot.waitUntil(lambda: desk.mask_control._saving is None, timeout=20_000)
    qtbot.waitUntil(lambda: desk.reviews.idle, timeout=20_000)
    first, second = (read_review(recognize(data / name)) for name in (FIRST, SECOND))
    assert [entry.state for entry in first.entries] == [State.DONE]
    assert second.entries == ()
    qtbot.waitUntil(lambda: desk.patients.list.topLevelItem(0).text(2) == "done", timeout=20_000)


def test_a_mark_with_notes_stays_the_last_word(desk, data, qtbot, monkeypatch):
    """On to the next before the mark is on a slow disk: its notes are no further work."""

    def slowly(*args, **facts):
        time.sleep(0.5)
        return mark(*args, **facts)

    segmented(desk, qtbot)
    desk.mask_control.save()
    qtbot.waitUntil(lambda: desk.mask_control._saving is None, timeout=20_000)
    monkeypatch.setattr("napari_brats.widgets.review_file.mark", slowly)
    desk.review.notes.setPlainText("left lobe")
    desk.review.show_state(State.DONE)
    desk.review.mark.click()
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    entries = read_review(recognize(data / FIRST)).entries
    assert (entries[-1].state, entries[-1].notes) == (State.DONE, "left lobe")


def test_notes_are_not_lost_on_the_way(desk, data, qtbot):
    """Typed and not marked, they go with the case as work in progress, which the list shows."""
    desk.review.notes.setPlainText("left lobe")
    desk.review.after.click()
    arrived(desk, qtbot, SECOND)
    qtbot.waitUntil(
        lambda: desk.patients.list.topLevelItem(0).text(2) == "in progress", timeout=20_000
    )
    (entry,) = read_review(recognize(data / FIRST)).entries
    assert (entry.state, entry.notes) == (State.IN_PROGRESS, "left lobe")
    assert desk.review.notes.toPlainText() == ""
