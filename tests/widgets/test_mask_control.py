"""What happens to masks: shown alone, undone in sight, saved one after the other."""

import os
import threading

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool

from napari_brats.case import save_segmentation
from napari_brats.plugin.masks import mask_title, read_mask, saved_masks
from napari_brats.plugin.writer import write_labels
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.mask_panel import MaskPanel
from napari_brats.widgets.saving import save_mask


@pytest.fixture
def panel(qtbot):
    panel = MaskPanel()
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def control(viewer, panel, case, show_case, later, notices):
    """Return what the dock does with the masks of a patient, without its window."""
    show_case(case)
    control = MaskControl(viewer, panel, lambda titles: Answer.DISCARD, later)
    yield control
    control.close()


def test_a_new_mask_is_shown_alone(control, viewer, case, add_mask, later):
    """In the next turn the reference is hidden; the mask itself is not cut and drawn anew."""
    mask, drawn = add_mask(case, case.reference.copy()), []
    mask.events.set_data.connect(drawn.append)
    later.turn()
    assert [layer.visible for layer in viewer.layers[-2:]] == [False, True]
    assert drawn == []
    viewer.layers.remove(mask)
    add_mask(case)
    viewer.layers.pop()
    later.turn()  # what was put off finds the mask gone


def test_undo_brings_a_hidden_mask_into_sight(control, case, add_mask, later):
    """Nothing is undone unseen: the mask is shown alone, and one redo has the stroke back."""
    first, second = add_mask(case, title="one"), add_mask(case, title="two")
    first.paint((3, 3, 3), 3)
    later.turn()
    assert (first.visible, second.visible) == (False, True)
    first.undo()
    assert (first.visible, second.visible) == (True, False)
    assert control.book.unsaved() == []
    first.redo()
    later.turn()
    assert control.book.unsaved() == [first]
    second.undo()  # nothing to undo: it stays hidden
    assert not second.visible


def test_a_mask_saved_elsewhere_meanwhile(control, case, add_mask, qtbot, notices):
    """The other's file stays, the mask gets a file of its own, and a notice says so."""
    mask, written = add_mask(case), []

    def save():
        mask.paint((5, 5, 5 + len(written)), 3)
        control.save(then=written.append)
        qtbot.waitUntil(lambda: control._saving is None, timeout=30_000)

    save()
    save()
    assert written[0] == written[1]
    os.utime(written[0], (1, 1))
    before = written[0].read_bytes()
    save()
    assert written[2] != written[0]
    assert mask_tag(mask).path == written[2]
    assert any("changed by somebody else" in notice for notice in notices)
    assert written[0].read_bytes() == before


def test_saves_follow_each_other(control, panel, case, add_mask, qtbot):
    """Asked for while another goes on, none is forgotten: each mask, and who waits for it."""
    written = []
    masks = [add_mask(case, title=title) for title in ("one", "two", "three")]
    for mask in masks:
        mask.paint((5, 5, 5), 3)
        panel.choose(mask)
        control.save(then=written.append)
    qtbot.waitUntil(lambda: control._saving is None, timeout=30_000)
    assert [mask_title(path, case.case_id) for path in written] == ["one", "two", "three"]
    assert control.book.unsaved() == []


def test_saves_that_wait_when_the_dock_goes(
    viewer, panel, case, show_case, add_mask, later, notices, qtbot
):
    """What a person asked to be saved is saved, also if it was not its turn yet."""
    show_case(case)
    control = MaskControl(viewer, panel, lambda titles: Answer.DISCARD, later)
    masks = [add_mask(case, title=title) for title in ("one", "two")]
    for mask in masks:
        panel.choose(mask)
        control.save()
    control.close()
    image = mask_tag(masks[0]).sources[0]
    qtbot.waitUntil(lambda: len(saved_masks(image, case.case_id)) == 2, timeout=30_000)
    qtbot.waitUntil(lambda: not list(image.parent.glob(".*mask*")), timeout=30_000)


@pytest.fixture
def slow_first(monkeypatch):
    """Hold the next save in its thread for a while, once cleared; later ones pass it."""
    begun, gate = threading.Event(), threading.Event()
    begun.set()

    def save(segmentation, path, **how):
        if not begun.is_set():
            begun.set()
            threading.Timer(0.5, gate.set).start()
            gate.wait(20)
        return save_segmentation(segmentation, path, **how)

    monkeypatch.setattr("napari_brats.widgets.saving.save_segmentation", save)
    return begun


def test_an_older_save_never_comes_over_a_newer(control, case, add_mask, slow_first, qtbot):
    """Painted on while it is saved, then closed with Save: one file, with the last stroke."""
    asked = []
    control._ask = lambda titles: asked.append(titles) or Answer.SAVE
    mask, written = add_mask(case), []
    control.book.saved(mask, save_mask(mask_tag(mask), mask.data), mask.data)
    slow_first.clear()
    mask.paint((5, 5, 5), 3)
    control.save(then=written.append)
    slow_first.wait(20)
    mask.paint((6, 6, 6), 3)
    assert control.may_close()
    QThreadPool.globalInstance().waitForDone(20_000)
    qtbot.wait(50)  # what the thread told meanwhile is heard by nobody
    tag = mask_tag(mask)
    assert saved_masks(tag.sources[0], case.case_id) == [tag.path]
    np.testing.assert_array_equal(tag.display.to_display(read_mask(tag.path, case)), mask.data)
    assert (asked, written) == ([[mask.name]], [tag.path])


def test_what_is_being_saved_is_no_question(control, case, add_mask, slow_first):
    """Save, and at once on to the next patient: nobody asks, the file is there."""
    control._ask = lambda titles: pytest.fail("asked about what is being saved")
    masks = [add_mask(case, title=title) for title in ("one", "two")]
    slow_first.clear()
    for mask in masks:
        mask.paint((5, 5, 5), 3)
        control._panel.choose(mask)
        control.save()
    assert control.may_close()
    assert control._saving is None
    image = mask_tag(masks[0]).sources[0]
    assert {mask_tag(mask).path for mask in masks} == set(saved_masks(image, case.case_id))


def test_napari_saves_as_well(control, case, add_mask, notices, qtbot):
    """File > Save counts: no dot, and Save goes on in that file without a word about others."""
    mask = add_mask(case, case.reference.copy())
    control.save()
    qtbot.waitUntil(lambda: control._saving is None, timeout=30_000)
    path = mask_tag(mask).path
    for target in (path, path.with_name("elsewhere.nii.gz")):
        mask.data_setitem((np.array([0]),) * 3, 3 - mask.data[0, 0, 0])
        assert control.book.unsaved() == [mask]
        assert write_labels(str(target), *mask.as_layer_data_tuple()[:2]) == [str(target)]
        assert control.book.unsaved() == []
        mask.data_setitem((np.array([1]),) * 3, 3)
        control.save()
        qtbot.waitUntil(lambda: control._saving is None, timeout=30_000)
        assert mask_tag(mask).path == target
    assert saved_masks(path, case.case_id) == [path]
    assert not any("somebody else" in notice for notice in notices)
