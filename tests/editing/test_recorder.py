"""The recorder: whatever happens to the mask, the journal can tell it."""

import os

import numpy as np
import pytest

from napari_brats.editing.codes import NO_TISSUE, as_codes
from napari_brats.editing.journal import read_journal
from napari_brats.editing.places import journal_files, journal_folders
from napari_brats.editing.recorder import Recorder
from napari_brats.errors import OutputError


@pytest.fixture
def mask(base):
    """Return the mask under the brush."""
    return base.copy()


@pytest.fixture
def recorder(mask, base, subject):
    """Return a recorder of the mask, whose base is on disk."""
    return Recorder(lambda: mask, subject, journal_folders(subject), base)


def test_nothing_changed(recorder, tmp_path):
    """No file is made for a mask that is only looked at."""
    recorder.record()
    assert recorder.path is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_edits_are_told(recorder, mask, base, tmp_path):
    """Paint, record, paint, record: the journal beside the mask ends at the mask."""
    mask[0, 0, 0] = 3
    recorder.record()
    mask[4] = 1
    recorder.record()
    recorder.record()
    replay = read_journal(recorder.path)
    assert recorder.path.parent == tmp_path
    assert replay.edits == 2
    np.testing.assert_array_equal(replay.voxels, mask)
    assert replay.belongs_to(replay.subject, base)


def test_what_comes_after_a_save(recorder, mask, subject):
    """After a save only later strokes are kept, on the saved mask as base."""
    mask[0, 0, 0] = 3
    recorder.record()
    first, saved = recorder.path, mask.copy()
    mask[1, 0, 0] = 1
    recorder.rebase(saved, subject, journal_folders(subject))
    recorder.record()
    replay = read_journal(recorder.path)
    assert not first.exists()
    assert replay.belongs_to(subject, saved)
    np.testing.assert_array_equal(replay.voxels, mask)


def test_a_save_of_all_there_is(recorder, mask, subject):
    """Nothing came after the save: the journal goes."""
    mask[0, 0, 0] = 3
    recorder.record()
    first = recorder.path
    recorder.rebase(mask, subject, journal_folders(subject))
    recorder.record()
    assert not first.exists()
    assert recorder.path is None


def test_a_save_whose_new_journal_fails(recorder, mask, subject, monkeypatch):
    """The journal before the save stays until the next one is safe."""
    mask[0, 0, 0] = 3
    recorder.record()
    first = recorder.path
    recorder.rebase(mask, subject, journal_folders(subject))
    mask[1, 0, 0] = 1

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match=r"cannot be kept in .*No space left"):
            recorder.record()
    assert recorder.path == first
    assert first.exists()
    recorder.record()
    np.testing.assert_array_equal(read_journal(recorder.path).voxels, mask)
    assert not first.exists()


def test_going_on_with_a_journal(recorder, mask, base, subject):
    """After a crash the same file goes on: one journal, all edits."""
    mask[0, 0, 0] = 3
    recorder.record()
    path = recorder.leave()
    again = Recorder(lambda: mask, subject, journal_folders(subject), base)
    again.resume(path, read_journal(path))
    mask[4] = 1
    again.record()
    replay = read_journal(path)
    assert replay.edits == 2
    np.testing.assert_array_equal(replay.voxels, mask)


def test_leave_and_drop(recorder, mask):
    """Left, the journal waits and its owner is gone; dropped, the file is gone."""
    mask[0, 0, 0] = 3
    recorder.record()
    path = recorder.path
    now = path.stat().st_mtime
    assert read_journal(path).owner.lives(now)
    assert recorder.leave() == path
    assert not read_journal(path).owner.lives(now)
    recorder.record()
    recorder.drop()
    assert path.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(recorder, mask, tmp_path, data_home):
    """Beside the mask nothing may be written: the journal goes to the user's data folder."""
    data_home.mkdir()
    tmp_path.chmod(0o555)
    mask[0, 0, 0] = 3
    recorder.record()
    tmp_path.chmod(0o755)
    assert recorder.path.parent == data_home / "journals"


def test_no_folder_at_all(mask, base, subject, tmp_path):
    """Where nothing can be written, one line says what to do; the next attempt has it all."""
    (tmp_path / "file").write_text("")
    recorder = Recorder(lambda: mask, subject, (tmp_path / "file", tmp_path / "file" / "b"), base)
    mask[0, 0, 0] = 3
    with pytest.raises(OutputError, match="set NAPARI_BRATS_DATA"):
        recorder.record()


def test_a_mask_that_was_never_saved(mask, subject, tmp_path, data_home):
    """It has no file to lie beside: the journal is in the data folder and holds all of it."""
    unsaved = type(subject)(**{**vars(subject), "mask": ""})
    recorder = Recorder(lambda: mask, unsaved, journal_folders(unsaved), np.zeros_like(mask))
    recorder.record()
    assert recorder.path.parent == data_home / "journals"
    np.testing.assert_array_equal(read_journal(recorder.path).voxels, mask)
    image = tmp_path / "BraTS2021_00000_t1.nii.gz"
    assert journal_files(subject.case_id, image) == [recorder.path]
    assert journal_files("BraTS2021_0000", image) == []


def test_a_journal_that_was_deleted(recorder, mask):
    """Somebody tidied up under our feet: later edits are kept in a new file."""
    mask[0, 0, 0] = 3
    recorder.record()
    recorder.path.unlink()
    mask[4] = 1
    recorder.record()
    np.testing.assert_array_equal(read_journal(recorder.path).voxels, mask)


def test_labels_that_are_no_byte():
    """Wide labels are told apart from tissues, not wrapped round into one."""
    wide = np.array([0, 3, 256, 259, -1, 254, 255], np.int32)
    assert as_codes(wide).tolist() == [0, 3, NO_TISSUE, NO_TISSUE, NO_TISSUE, 254, NO_TISSUE]


def test_another_shape_is_waited_out(base, subject):
    """A mask of another shape cannot be saved either; it is recorded once it fits again."""
    shown = [np.zeros((2, 2, 2), np.uint8)]
    recorder = Recorder(lambda: shown[0], subject, journal_folders(subject), base)
    recorder.record()
    assert recorder.path is None
    shown[0] = np.zeros_like(base)
    recorder.record()
    assert read_journal(recorder.path).changed


def test_a_journal_that_was_deleted_before_the_last_stroke(recorder, mask, base):
    """All edits since the save come into the new file, not only those that follow."""
    mask[0, 0, 0] = 3
    recorder.record()
    recorder.path.unlink()
    recorder.record()
    replay = read_journal(recorder.path)
    assert replay.changed
    np.testing.assert_array_equal(replay.voxels, mask)


def test_a_journal_that_somebody_else_goes_on_with(recorder, mask, base, subject):
    """After a long sleep, say: nobody cuts off or deletes what the other wrote."""
    mask[0, 0, 0] = 3
    recorder.record()
    shared = recorder.path
    theirs = mask.copy()
    other = Recorder(lambda: theirs, subject, journal_folders(subject), base)
    other.resume(shared, read_journal(shared))
    theirs[2] = 1
    other.record()
    mask[4] = 1
    recorder.record()
    assert recorder.path != shared
    np.testing.assert_array_equal(read_journal(recorder.path).voxels, mask)
    recorder.drop()
    np.testing.assert_array_equal(read_journal(shared).voxels, theirs)


def test_a_save_while_somebody_else_goes_on(recorder, mask, base, subject):
    """Saved, a journal goes, unless it is another's by now."""
    mask[0, 0, 0] = 3
    recorder.record()
    shared = recorder.path
    other = Recorder(lambda: mask, subject, journal_folders(subject), base)
    other.resume(shared, read_journal(shared))
    recorder.rebase(mask, subject, journal_folders(subject))
    recorder.record()
    assert shared.exists()
    mask[1, 0, 0] = 1
    recorder.record()
    replay = read_journal(recorder.path)
    assert replay.edits == 1
    np.testing.assert_array_equal(replay.voxels, mask)


def test_a_journal_that_cannot_be_gone_on_with(recorder, mask, subject, base, monkeypatch):
    """The one there was stays: it is not deleted before the other is in hand."""
    mask[0, 0, 0] = 3
    recorder.record()
    first = recorder.path
    other = Recorder(lambda: mask, subject, journal_folders(subject), base)
    other.record()
    second, replay = other.leave(), read_journal(other.path or first)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="cannot be kept"):
            recorder.resume(second, replay)
    assert recorder.path == first
    np.testing.assert_array_equal(read_journal(first).voxels, mask)


def test_what_is_asked_of_a_recorder_that_stopped(recorder, mask, tmp_path):
    """The scribe's thread may come late: edits that were given up make no new journal."""
    mask[0, 0, 0] = 3
    recorder.record()
    recorder.drop()
    mask[4] = 1
    recorder.record()
    assert recorder.path is None
    assert not list(tmp_path.rglob("*.journal"))
