"""What happens to masks: shown alone, undone in sight, saved one after the other."""

import os

import pytest

from napari_brats.plugin.masks import mask_title, saved_masks
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.mask_panel import MaskPanel


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
