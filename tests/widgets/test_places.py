"""Disagreements in a real window: list, jumps, take A, take B, edit, ignore; kept decisions."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_brats.editing.decisions import Verdict
from napari_brats.editing.review import read_review
from napari_brats.naming import recognize
from napari_brats.volumes import write_probabilities
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.origins import origin_of
from napari_brats.widgets.places_take import FORBIDDEN
from napari_brats.widgets.places_work import AS_IT_CAME, DOUBT, FROM_FILE

pytestmark = [pytest.mark.gui, pytest.mark.slow]

ID = "BraTS2021_00000"


def settled(widget, qtbot):
    qtbot.waitUntil(lambda: widget.places_control.idle, timeout=20_000)
    qtbot.waitUntil(lambda: widget.reviews.idle, timeout=20_000)


@pytest.fixture
def places(widget, data, qtbot):
    """Return the widget with a mask that lacks one box of edema and has one too many."""
    widget.open(data / ID)
    qtbot.waitUntil(
        lambda: widget.patient_control.idle and bool(widget.viewer.layers), timeout=20_000
    )
    widget.run.segment.click()
    qtbot.waitUntil(lambda: len(widget.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: widget.run_control.idle, timeout=20_000)
    mask = widget.masks.mask()
    spoil(mask)
    widget.places.head.setChecked(True)
    settled(widget, qtbot)
    return widget


def spoil(mask):
    """Paint a box too many, and take the edema away."""
    there = np.nonzero(mask.data == 2)
    mask.data_setitem(there, 0)
    extra = tuple(along.ravel() for along in np.mgrid[1:3, 1:3, 1:4])
    mask.data_setitem(extra, 2)


def rows(widget):
    tree = widget.places.list
    return [
        tuple(tree.topLevelItem(row).text(column) for column in range(5))
        for row in range(tree.topLevelItemCount())
    ]


def press(widget, qtbot, verdict):
    widget.places.verdicts[verdict].click()
    settled(widget, qtbot)


def decisions(data):
    return [(item.verdict, item.kind) for item in read_review(recognize(data / ID)).decisions]


def test_jump_and_take(places, data, qtbot):
    """Next centers a place; B is taken as one undo step; A and undo leave all as it was."""
    mask = places.masks.mask()
    reference = places.viewer.layers[4].data
    assert {row[:2] for row in rows(places)} == {("WT", "A"), ("WT", "B")}
    places.places.after.click()
    middle = places.viewer.dims.point[-3:]
    index = np.round(mask.world_to_data(middle)).astype(int)
    assert mask.data[tuple(index)] != reference[tuple(index)]
    np.testing.assert_allclose(places.viewer.scene.camera.center[-2:], middle[-2:])
    before, steps = mask.data.copy(), len(mask._undo_history)
    press(places, qtbot, Verdict.TAKE_B)
    assert len(mask._undo_history) == steps + 1
    changed = mask.data != before
    np.testing.assert_array_equal(mask.data[changed], reference[changed])
    assert [row[4] for row in rows(places)] == ["", "took B"]
    press(places, qtbot, Verdict.TAKE_A)
    assert [row[4] for row in rows(places)] == ["take A", "took B"]
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    qtbot.waitUntil(
        lambda: sorted(row[4] for row in rows(places)) == ["take A", "taken back"], timeout=20_000
    )
    assert [verdict for verdict, _ in decisions(data)] == [Verdict.TAKE_B, Verdict.TAKE_A]


def test_decisions_are_shown_again(places, data, qtbot, widget):
    """Saved and opened again, what was decided is not asked again."""
    places.places.after.click()
    press(places, qtbot, Verdict.IGNORE)
    press(places, qtbot, Verdict.TAKE_B)
    places.masks.save.click()
    qtbot.waitUntil(
        lambda: not places.masks.masks.currentText().startswith("\u2022"), timeout=20_000
    )
    places.open(data / "BraTS2021_00001")
    qtbot.waitUntil(lambda: "00001" in places.viewer.layers[0].name, timeout=20_000)
    qtbot.waitUntil(lambda: places.patient_control.idle, timeout=20_000)
    places.open(data / ID)
    qtbot.waitUntil(lambda: len(places.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: places.patient_control.idle, timeout=20_000)
    settled(places, qtbot)
    assert sorted(row[4] for row in rows(places)) == ["ignore", "took B"]
    assert "0 not decided" in places.places.words.text()


def test_a_lock_holds(places, data, qtbot):
    """What a lock keeps is not taken, and not noted as taken."""
    mask = places.masks.mask()
    places.paint_control.painter.lock("WT", True)
    before = mask.data.copy()
    places.places.after.click()
    places.places.verdicts[Verdict.TAKE_B].click()
    assert places.places.words.text() == FORBIDDEN
    np.testing.assert_array_equal(mask.data, before)
    settled(places, qtbot)
    assert decisions(data) == []


def test_keys_and_edit(places, qtbot, hand):
    """N and Shift+N over the canvas go around; Edit takes up the brush and stays."""
    mouse = hand(places.viewer)
    mouse.native.setFocus()
    mouse.key(Qt.Key.Key_N, "n")
    first = places.places.list.currentItem()
    assert places.places.list.indexOfTopLevelItem(first) == 0
    mouse.key(Qt.Key.Key_N, "n")
    assert places.places.list.indexOfTopLevelItem(places.places.list.currentItem()) == 1
    mouse.key(Qt.Key.Key_N, "N", Qt.KeyboardModifier.ShiftModifier)
    assert places.places.list.indexOfTopLevelItem(places.places.list.currentItem()) == 0
    mask = places.masks.mask()
    mask.mode = "pan_zoom"
    press(places, qtbot, Verdict.EDIT)
    assert mask.mode == "paint"
    assert rows(places)[0][4] == "edit"
    assert places.places.list.indexOfTopLevelItem(places.places.list.currentItem()) == 0


def test_before_the_edits(places, qtbot):
    """Against the mask as it came: the same two places, and taking both undoes the edits."""
    mask = places.masks.mask()
    choose(places, qtbot, AS_IT_CAME)
    assert {row[1] for row in rows(places)} == {"A", "B"}
    places.places.after.click()
    press(places, qtbot, Verdict.TAKE_B)
    press(places, qtbot, Verdict.TAKE_B)
    np.testing.assert_array_equal(mask.data, places.viewer.layers[4].data)


def test_the_untouched_mask_outlives_saving(places, data, qtbot):
    """Corrected, saved twice and opened again: it is still compared with what the model made."""
    mask = places.masks.mask()
    made = places.viewer.layers[4].data.copy()
    for place in (1, 3):
        mask.data_setitem((np.array([place]), np.array([1]), np.array([1])), 3)
        places.masks.save.click()
        qtbot.waitUntil(
            lambda: not places.masks.masks.currentText().startswith("\u2022"), timeout=20_000
        )
    corrected = mask.data.copy()
    assert len(list((data / ID).glob(".*untouched*"))) == 1
    places.open(data / "BraTS2021_00001")
    qtbot.waitUntil(lambda: "00001" in places.viewer.layers[0].name, timeout=20_000)
    qtbot.waitUntil(lambda: places.patient_control.idle, timeout=20_000)
    places.open(data / ID)
    qtbot.waitUntil(lambda: len(places.masks_shown()) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: places.patient_control.idle, timeout=20_000)
    again = places.masks.mask()
    assert again is not mask
    np.testing.assert_array_equal(again.data, corrected)
    np.testing.assert_array_equal(origin_of(again), made)


def test_unsure_places(places, data, qtbot, monkeypatch):
    """Without another mask the model's doubt is listed; from a file too; nothing can be taken."""
    choose(places, qtbot, DOUBT)
    assert rows(places)
    assert all(row[1] == "?" and row[3].endswith("bit") for row in rows(places))
    places.places.after.click()
    assert not places.places.verdicts[Verdict.TAKE_B].isEnabled()
    press(places, qtbot, Verdict.IGNORE)
    assert rows(places)[0][4] == "ignore"
    tag = mask_tag(places.masks.mask())
    path = data / "maps.nii.gz"
    maps = np.zeros((3, *tag.display.shape), np.float32)
    maps[2, 2:15, 2:15, 2:15] = 0.5
    write_probabilities(path, maps, tag.display.affine, tag.sources[0])
    monkeypatch.setattr(places.places, "ask_for_probabilities", lambda folder: path)
    choose(places, qtbot, FROM_FILE)
    assert places.places.sources.currentText() == DOUBT
    assert {row[0] for row in rows(places)} == {"ET"}


def test_probabilities_of_another_patient(places, data, qtbot, monkeypatch, notices):
    """Another grid is refused with both shapes; the list stays."""
    path = data / "maps.nii.gz"
    tag = mask_tag(places.masks.mask())
    maps = np.zeros((2, *tag.display.shape), np.float32)
    write_probabilities(path, maps, tag.display.affine, tag.sources[0], names=("WT", "TC"))
    monkeypatch.setattr(places.places, "ask_for_probabilities", lambda folder: path)
    choose(places, qtbot, FROM_FILE)
    assert "segment --probabilities" in notices[-1]


def choose(widget, qtbot, title):
    combo = widget.places.sources
    combo.setCurrentText(title)
    combo.activated.emit(combo.currentIndex())
    settled(widget, qtbot)
