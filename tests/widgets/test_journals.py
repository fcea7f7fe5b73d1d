"""Every way in which a mask changes reaches its journal, until it is saved or given up."""

import time

import numpy as np
import pytest
from napari.layers import Labels

from napari_brats.editing import places
from napari_brats.editing.journal import read_journal
from napari_brats.editing.unsaved import find_unsaved
from napari_brats.widgets.journals import Journals
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.saving import save_mask


@pytest.fixture
def book(viewer, later, case, show_case):
    show_case(case)
    return MaskBook(viewer, later)


@pytest.fixture
def journals(book):
    journals = Journals(book, delay_s=0.01)
    yield journals
    journals.close()


@pytest.fixture
def mask(journals, add_mask, case):
    """Return a mask that a model made, with some tissue."""
    return add_mask(case, case.reference.copy())


def wait(condition):
    """Wait for the scribe's thread."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "the journal never told it"
        time.sleep(0.01)


def told(journals, mask):
    """Return whether the only journal ends at the mask's voxels."""
    paths = journals.paths()
    return len(paths) == 1 and np.array_equal(read_journal(*paths).voxels, mask.data)


def test_looking_makes_no_journal(journals, mask, later, data_home):
    """A mask that is only looked at leaves no file."""
    mask.refresh()
    mask.contour = 1
    later.turn()
    assert journals.paths() == set()
    assert not data_home.exists()


def direct_write(mask):
    mask.data[0, 0, 0] = 3
    mask.refresh()


WAYS = {
    "stroke": lambda mask: mask.paint((3, 3, 3), 2),
    "fill": lambda mask: mask.fill((0, 0, 0), 1),
    "polygon": lambda mask: mask.paint_polygon([[1, 1, 1], [1, 1, 5], [1, 5, 5]], 2),
    "setitem": lambda mask: mask.data_setitem((np.array([3]),) * 3, 3),
    "data": lambda mask: setattr(mask, "data", np.full_like(mask.data, 2)),
    "direct": direct_write,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_edit_undo_and_redo_are_told(journals, mask, later, way):
    """The journal ends at the mask after the edit, after undo and after redo."""
    WAYS[way](mask)
    later.turn()
    wait(lambda: told(journals, mask))
    for step in (mask.undo, mask.redo):
        step()
        later.turn()
        wait(lambda: told(journals, mask))


def test_a_stroke_that_goes_on_is_told(journals, mask):
    """A long stroke is on disk before the mouse is let go."""
    with mask.block_history():
        mask.paint((3, 3, 3), 2)
        wait(lambda: told(journals, mask))
        mask.paint((3, 9, 9), 2)
    wait(lambda: told(journals, mask))


def test_saving_ends_the_journal(journals, book, mask, later, case):
    """Saved, the journal goes; the next stroke's lies beside the file, on what was saved."""
    mask.paint((3, 3, 3), 2)
    wait(lambda: told(journals, mask))
    (first,) = journals.paths()
    assert first.parent == places.data_folder()
    book.saved(mask, save_mask(mask_tag(mask), mask.data), mask.data)
    wait(lambda: not first.exists() and not journals.paths())
    saved = mask.data.copy()
    mask.paint((6, 6, 6), 1)
    wait(lambda: told(journals, mask))
    (second,) = journals.paths()
    replay = read_journal(second)
    assert second.parent == mask_tag(mask).path.parent
    assert replay.belongs_to(replay.subject, saved)


def test_a_removed_mask_leaves_its_journal(journals, mask, viewer, case):
    """Deleting the layer deletes no stroke: the journal can be found."""
    mask.paint((3, 3, 3), 2)
    left = []
    journals.on_left.append(lambda: left.append(1))
    viewer.layers.remove(mask)
    (found,) = find_unsaved(case.case_id, mask_tag(mask).sources[0])
    np.testing.assert_array_equal(found.replay.voxels, mask.data)
    assert left == [1]


def test_a_converted_mask_keeps_its_journal(journals, mask, viewer, later):
    """napari converts by taking the layer away and adding another: one journal goes on."""
    mask.paint((3, 3, 3), 2)
    viewer.layers.remove(mask)
    again = viewer.add_layer(Labels(mask.data, metadata=mask.metadata))
    again.paint((6, 6, 6), 1)
    wait(lambda: told(journals, again))


@pytest.mark.parametrize("later_stroke", [False, True])
def test_edits_that_were_given_up(journals, mask, viewer, case, later_stroke):
    """Discard deletes what was asked about, and no stroke made since."""
    mask.paint((3, 3, 3), 2)
    journals.give_up()
    if later_stroke:
        mask.paint((6, 6, 6), 1)
    viewer.layers.remove(mask)
    found = find_unsaved(case.case_id, mask_tag(mask).sources[0])
    assert len(found) == later_stroke


def test_a_new_dock_goes_on(book, mask, journals, viewer, later):
    """Closed and opened again, the dock writes on in the same journal."""
    mask.paint((3, 3, 3), 2)
    journals.close()
    book.close()
    again = Journals(MaskBook(viewer, later), delay_s=0.01)
    assert told(again, mask)
    mask.paint((6, 6, 6), 1)
    wait(lambda: told(again, mask))
    again.close()


def test_what_comes_unsaved_is_told_whole(journals, viewer):
    """A layer made by another plugin is nowhere on disk: all of it goes to the journal."""
    image = viewer.layers[0]
    voxels = np.ones(image.data.shape, np.int32)
    made = viewer.add_labels(voxels, scale=image.scale, translate=image.translate)
    wait(lambda: told(journals, made))


def test_trouble_is_told_once(journals, mask, monkeypatch, data_home):
    """Nothing can be written: one notice, not one a stroke."""
    errors = []
    monkeypatch.setattr("napari_brats.widgets.journals.notify_error", errors.append)
    data_home.write_text("a file where the folder should be")
    mask.paint((3, 3, 3), 2)
    wait(lambda: journals._scribe.trouble)
    mask.paint((6, 6, 6), 1)
    mask.paint((7, 7, 7), 1)
    assert ["cannot be kept" in str(error) for error in errors] == [True]


def test_undo_of_a_hidden_mask_is_told(journals, mask, later):
    """What nobody sees is journaled like any other edit."""
    before = mask.data.copy()
    mask.paint((3, 3, 3), 2)
    mask.paint((6, 6, 6), 1)
    later.turn()
    wait(lambda: told(journals, mask))
    mask.visible = False
    mask.undo()
    assert (mask.data != before).any()
    wait(lambda: told(journals, mask))
