"""Saving a mask: on its own grid, whole or not at all, and never over what another made."""

import numpy as np
import pytest

from napari_brats.case import load_mask
from napari_brats.errors import OutputError
from napari_brats.plugin.layers import mask_layer
from napari_brats.plugin.masks import read_mask, saved_masks, untouched_path
from napari_brats.plugin.tags import tag_of
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.saving import Saving, default_path, keep_untouched, save_mask


@pytest.fixture
def book(viewer, later):
    return MaskBook(viewer, later)


def test_saving_writes_what_was_painted(case, show_case, add_mask, tmp_path):
    """The generator form writes the snapshot on the file's grid."""
    show_case(case)
    mask = add_mask(case)
    mask.paint((5, 5, 5), 3)
    tag, snapshot = mask_tag(mask), mask.data.copy()
    work = Saving(tag, snapshot, tmp_path / "out_mask.nii.gz").work()
    next(work)
    mask.data[:] = 0
    with pytest.raises(StopIteration):
        next(work)
    found, _ = load_mask(tmp_path / "out_mask.nii.gz", case.convention)
    np.testing.assert_array_equal(tag.display.to_display(found), snapshot)


def test_a_save_is_done_once(case, show_case, add_mask):
    """Who cannot wait for the thread does it; the thread then writes no second file."""
    show_case(case)
    mask = add_mask(case)
    job = Saving(mask_tag(mask), mask.data.copy(), None)
    work = job.work()
    next(work)
    path = job.finish()
    with pytest.raises(StopIteration) as end:
        next(work)
    assert end.value.value == path
    assert saved_masks(path, case.case_id) == [path]


def test_saving_over_a_source_is_refused(case, show_case, add_mask):
    """Not even by name can a source file be overwritten."""
    show_case(case)
    mask = add_mask(case)
    with pytest.raises(OutputError, match="never overwritten"):
        save_mask(mask_tag(mask), mask.data, case.reference_path)


def test_the_untouched_mask_is_kept_once(case, show_case, add_mask):
    """Beside the corrected mask, hidden from those who look for masks; only where one is due."""
    show_case(case)
    mask = add_mask(case, case.reference.copy())
    tag, origin = mask_tag(mask), mask.data.copy()
    path = save_mask(tag, mask.data)
    keep_untouched(tag, mask.data, origin, path)
    assert not untouched_path(path).exists()
    mask.data[0, 0, 0] = 3
    keep_untouched(tag, mask.data, np.zeros_like(origin), path)
    keep_untouched(tag, mask.data, origin, path.with_name("elsewhere") / path.name)
    assert not untouched_path(path).exists()
    keep_untouched(tag, mask.data, origin, path)
    first = untouched_path(path).read_bytes()
    keep_untouched(tag, mask.data, np.ones_like(origin), path)
    assert untouched_path(path).read_bytes() == first
    np.testing.assert_array_equal(read_mask(untouched_path(path), case), case.reference)
    assert saved_masks(tag.sources[0], tag.case_id) == [path]


def test_a_name_taken_at_the_same_moment(book, case, show_case, add_mask, monkeypatch):
    """The default name goes to somebody else before the file is in place: the next one is taken."""
    show_case(case)
    tag = mask_tag(add_mask(case))
    first = default_path(tag)
    names = iter([first, first.with_name("another_mask.nii.gz")])
    first.write_bytes(b"somebody else's")
    monkeypatch.setattr("napari_brats.widgets.saving.default_path", lambda tag: next(names))
    written = save_mask(tag, np.zeros(case.shape, np.uint8).T)
    assert written.name == "another_mask.nii.gz"
    assert first.read_bytes() == b"somebody else's"


def test_a_file_that_somebody_else_has_written(book, case, show_case, add_mask):
    """Saved in two windows: each mask lies in a file of its own, and goes on there."""
    show_case(case)
    mine, theirs = add_mask(case), case.reference.copy()
    path = save_mask(mask_tag(mine), mine.data)
    book.saved(mine, path, mine.data)
    mine.paint((5, 5, 5), 3)
    assert save_mask(mask_tag(mine), mine.data) == path
    book.saved(mine, path, mine.data)
    other = mask_layer(case, theirs, "net", path=path)[1]["metadata"]
    save_mask(tag_of(other), mask_tag(mine).display.to_display(theirs))
    mine.paint((6, 6, 6), 3)
    second = save_mask(mask_tag(mine), mine.data)
    assert second.name == path.name.replace("_mask", "_mask-2")
    np.testing.assert_array_equal(read_mask(path, case), theirs)
    book.saved(mine, second, mine.data)
    assert save_mask(mask_tag(mine), mine.data) == second


def test_a_file_that_is_gone(book, case, show_case, add_mask):
    """Deleted meanwhile, it is written again under its name."""
    show_case(case)
    mask = add_mask(case)
    path = save_mask(mask_tag(mask), mask.data)
    book.saved(mask, path, mask.data)
    path.unlink()
    assert save_mask(mask_tag(mask), mask.data) == path
