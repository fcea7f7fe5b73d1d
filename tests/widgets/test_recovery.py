"""After a crash: the offer, recovering, discarding, and a second window."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_brats.case import save_segmentation, segmentation_of
from napari_brats.editing.boxes import difference
from napari_brats.editing.journal import JournalWriter, read_journal
from napari_brats.editing.owner import Owner
from napari_brats.editing.places import data_folder
from napari_brats.plugin.layers import mask_layer
from napari_brats.plugin.masks import saved_masks
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.journals import subject_of
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.mask_panel import MaskPanel
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.recovery import Recovery
from napari_brats.widgets.recovery_panel import RecoveryPanel

PATIENCE_MS = 30_000
GONE = replace(Owner.new(), token="gone")


@pytest.fixture
def dock(viewer, case, show_case, qtbot, later, notices):
    """Return what the dock does with a patient's masks, without its window."""
    show_case(case)
    dock = SimpleNamespace(viewer=viewer, case=case, answers=[], questions=[])
    panel, masks = RecoveryPanel(), MaskPanel()
    qtbot.addWidget(panel)
    qtbot.addWidget(masks)
    dock.found, dock.desk = panel, Desk(viewer)
    dock.control = MaskControl(viewer, masks, lambda titles: Answer.SAVE, later)

    def confirm(question):
        dock.questions.append(question)
        return dock.answers.pop()

    dock.recovery = Recovery(viewer, dock.desk, dock.control, panel, confirm, later)

    def look():
        dock.recovery.look()
        qtbot.waitUntil(lambda: dock.recovery.idle, timeout=PATIENCE_MS)

    dock.look = look
    yield dock
    dock.recovery.close()
    dock.control.close()


@pytest.fixture
def mask(dock):
    """Return the patient's saved mask, as it opens with the patient."""
    folder = mask_tag(dock.viewer.layers[0]).sources[0].parent
    path = folder / f"{dock.case.case_id}_net_mask.nii.gz"
    save_segmentation(segmentation_of(dock.case, dock.case.reference), path)
    return dock.viewer.add_layer(
        build_layer(mask_layer(dock.case, dock.case.reference, "net", path=path))
    )


@pytest.fixture
def painted(mask):
    """Write two journals of a process that is gone; returns their paths and last voxels.

    One is of the saved mask, one of a mask that was never saved; each has one stroke.
    """
    found = []
    saved = subject_of(mask_tag(mask))
    folders = (mask_tag(mask).path.parent, data_folder())
    for number, subject in enumerate((saved, replace(saved, mask=""))):
        voxels = mask.data.copy()
        voxels[number] = 3
        folders[number].mkdir(parents=True, exist_ok=True)
        path = folders[number] / f".{saved.case_id}-{number}.journal"
        JournalWriter(path, subject, mask.data, GONE).append(difference(mask.data, voxels))
        found.append((path, voxels))
    return found


def offered(dock):
    return not dock.found.recover.isHidden()


def test_nothing_to_say(dock, mask):
    """Without journals the panel stays out of sight."""
    dock.look()
    assert dock.found.isHidden()


def test_recovering(dock, mask, painted, later, qtbot):
    """Two offers: one stroke comes back on the saved mask, the other as a mask of its own."""
    dock.look()
    assert "net_mask" in dock.found.words.text()
    assert "1 more to come" in dock.found.words.text()
    before = mask.data.copy()
    dock.found.recover.click()
    np.testing.assert_array_equal(mask.data, painted[0][1])
    dock.found.recover.click()
    assert not offered(dock)
    second = dock.viewer.layers[-1]
    np.testing.assert_array_equal(second.data, painted[1][1])
    assert mask_tag(second).path is None
    assert dock.control.book.unsaved() == [mask, second]
    assert dock.control.journals.paths() == {path for path, _ in painted}
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    mask.redo()
    later.turn()
    assert dock.control.may_close()
    qtbot.waitUntil(lambda: not any(path.exists() for path, _ in painted), timeout=PATIENCE_MS)
    assert len(saved_masks(mask_tag(mask).sources[0], dock.case.case_id)) == 2


def test_discarding_asks(dock, painted):
    """No keeps the edits and the offer; Yes deletes them, and the next offer is shown."""
    dock.look()
    dock.answers = [True, False]
    dock.found.discard.click()
    assert painted[0][0].exists()
    assert offered(dock)
    dock.found.discard.click()
    assert [path.exists() for path, _ in painted] == [False, True]
    assert offered(dock)
    assert "net_mask" in dock.questions[0]


def test_not_answering(dock, painted):
    """The offer goes with its patient and comes back with it: nothing is deleted unasked."""
    dock.look()
    dock.desk.expecting = True
    dock.look()
    assert not offered(dock)
    dock.desk.expecting = False
    dock.look()
    assert offered(dock)
    assert all(path.exists() for path, _ in painted)


def test_a_mask_that_was_changed_meanwhile(dock, mask, painted):
    """The mask has strokes of today: those of the crash come as a mask of their own."""
    dock.look()
    mask.paint((5, 5, 5), 1)
    today = mask.data.copy()
    dock.found.recover.click()
    np.testing.assert_array_equal(mask.data, today)
    np.testing.assert_array_equal(dock.viewer.layers[-1].data, painted[0][1])


def test_saved_right_before_the_crash(dock, mask, painted):
    """A journal that ends where a saved mask is needs no offer and goes."""
    mask.data = painted[0][1]
    dock.control.book.saved(mask, mask_tag(mask).path, mask.data)
    painted[1][0].unlink()
    dock.look()
    assert not offered(dock)
    assert not painted[0][0].exists()


def test_another_window_on_the_case(dock, mask):
    """A case that is open elsewhere is told of; once it is closed there, no longer."""
    claim = mask_tag(mask).path.parent / f".{dock.case.case_id}.open"
    other = Owner("another-machine", 4321, 0.0)
    claim.write_text(json.dumps({"owner": asdict(other), "since": 0.0}))
    dock.look()
    assert "process 4321 on another-machine" in dock.found.notice.text()
    assert not dock.found.notice.isHidden()
    assert not offered(dock)
    claim.unlink()
    dock.look()
    assert dock.found.isHidden()


def test_another_view_is_refused(dock, painted, notices):
    """Edits made in the mirrored view are not put on the wrong side: one line says what to do."""
    path, voxels = painted[0]
    path.unlink()
    subject = subject_of(mask_tag(dock.viewer.layers[-1]))
    empty = np.zeros_like(voxels)
    writer = JournalWriter(path, replace(subject, directions="IPR"), empty, GONE)
    writer.append(difference(empty, voxels))
    painted[1][0].unlink()
    dock.look()
    dock.found.recover.click()
    assert "made in the other view" in notices[-1]
    assert path.exists()


def test_another_grid_is_refused(dock, painted, notices):
    """Edits of a patient whose files lie elsewhere now are not put at the wrong place."""
    path, voxels = painted[0]
    path.unlink()
    subject = subject_of(mask_tag(dock.viewer.layers[-1]))
    moved = (*subject.affine[:3], subject.affine[3] + 5, *subject.affine[4:])
    JournalWriter(path, replace(subject, affine=moved), voxels, GONE).append(
        difference(voxels, np.zeros_like(voxels))
    )
    painted[1][0].unlink()
    dock.look()
    dock.found.recover.click()
    assert "on another grid" in notices[-1]
    assert path.exists()


def taken_up(path):
    """Let another window go on with a journal."""
    JournalWriter.resume(path, read_journal(path), Owner.new())


def test_an_offer_that_another_window_took_up(dock, mask, painted, notices, qtbot):
    """Recover shows nothing twice, Discard deletes nothing: the offer goes, the journal stays."""
    before = mask.data.copy()
    dock.look()
    taken_up(painted[0][0])
    dock.found.recover.click()
    assert "taken up in another window" in notices[-1]
    np.testing.assert_array_equal(mask.data, before)
    qtbot.waitUntil(lambda: dock.recovery.idle, timeout=PATIENCE_MS)
    assert "1 more" not in dock.found.words.text()
    taken_up(painted[1][0])
    dock.answers = [True]
    dock.found.discard.click()
    qtbot.waitUntil(lambda: dock.recovery.idle, timeout=PATIENCE_MS)
    assert not offered(dock)
    assert all(path.exists() for path, _ in painted)


@pytest.mark.slow
@pytest.mark.gui
def test_a_deleted_layer_can_be_had_back(widget, data, qtbot):
    """In the window: a painted mask is deleted, its strokes are offered, Recover shows them."""
    widget.open(data / "BraTS2021_00000")
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(widget.viewer.layers) > 4, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=PATIENCE_MS)
    widget.viewer._new_labels()
    mask = widget.masks.mask()
    mask.paint((3, 3, 3), 2)
    widget.viewer.layers.remove(mask)
    qtbot.waitUntil(lambda: offered(widget), timeout=PATIENCE_MS)
    widget.found.recover.click()
    again = widget.masks.mask()
    assert again is not mask
    np.testing.assert_array_equal(again.data, mask.data)
