"""While the next patient is on the way: neither strokes nor patients get mixed up or lost."""

import threading

import pytest

from napari_brats.widgets import opening
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.segment import SegmentWidget

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


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


@pytest.fixture
def halfway(masked, qtbot, monkeypatch):
    """Open the second patient as far as two of its images; returns what lets the rest come."""
    gate = threading.Event()
    plain = opening.case_layers

    def slow(case, convention):
        for place, data in enumerate(plain(case, convention)):
            if place == 2:
                gate.wait(20)
            yield data

    monkeypatch.setattr(opening, "case_layers", slow)
    masked.patient_control.prefetch.drop()
    masked.patient_control.open(masked.patients.rows()[1])
    qtbot.waitUntil(lambda: len(cases(masked)) == 2, timeout=20_000)
    monkeypatch.setattr(opening, "case_layers", plain)
    return gate


def cases(widget):
    return {layer.metadata["case_id"] for layer in widget.viewer.layers}


@pytest.mark.slow
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


@pytest.mark.slow
def test_going_back_to_the_patient_at_hand(masked, qtbot, monkeypatch):
    """Clicked again before the next one has come, the patient stays, with its fresh mask."""
    mask = masked.masks.mask()
    gate = open_slowly(masked, 1, monkeypatch)
    masked.patient_control.open(masked.patients.rows()[0])
    gate.set()
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert masked.masks_shown() == [mask]
    assert masked.patients.list.currentItem().text(0) == ID


@pytest.mark.slow
def test_a_patient_half_open_outlives_the_dock(masked, halfway, qtbot):
    """Closed and opened again between two layers: the rest comes, and nobody else's stays."""
    viewer = masked.viewer
    viewer.window.remove_dock_widget(masked)
    new = SegmentWidget(viewer)
    viewer.window.add_dock_widget(new, name="Segment")
    halfway.set()
    qtbot.waitUntil(lambda: new.patient_control.idle, timeout=20_000)
    assert cases(new) == {"BraTS2021_00001"}
    assert [layer.name.split()[0] for layer in viewer.layers] == [
        *("T2", "T1", "T1ce", "FLAIR", "reference")
    ]


@pytest.mark.slow
def test_a_patient_on_the_way_outlives_the_dock(masked, qtbot, monkeypatch):
    """Closed and opened again before the first layer: the patient comes; new strokes are asked."""
    viewer, mask = masked.viewer, masked.masks.mask()
    gate = open_slowly(masked, 1, monkeypatch)
    viewer.window.remove_dock_widget(masked)
    new = SegmentWidget(viewer)
    viewer.window.add_dock_widget(new, name="Segment")
    asked = []
    new.ask = lambda titles: asked.append(titles) or Answer.DISCARD
    mask.paint((3, 3, 3), 2)
    gate.set()
    qtbot.waitUntil(lambda: new.patient_control.idle, timeout=20_000)
    assert cases(new) == {"BraTS2021_00001"}
    assert asked == [[mask.name]]


@pytest.mark.slow
def test_going_back_from_a_patient_half_open(masked, halfway, qtbot, monkeypatch):
    """Parts of two patients lie there: the first one is read again, not taken for whole."""
    halfway.set()
    gate = open_slowly(masked, 0, monkeypatch)
    for row in (1, 0):
        masked.patient_control.open(masked.patients.rows()[row])
    gate.set()
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert cases(masked) == {ID}


@pytest.mark.slow
def test_nobody_comes_onto_a_desk_half_cleared(masked, data, halfway, qtbot, notices):
    """Two patients lie there in part and the third cannot be read: none is shown for whole."""
    broken = data / ID / f"{ID}_t2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:400])
    masked.patient_control.open(masked.patients.rows()[0])
    halfway.set()
    qtbot.waitUntil(lambda: masked.patient_control.idle, timeout=20_000)
    assert broken.name in notices[-1]
    assert not masked.viewer.layers


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


@pytest.mark.slow
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


@pytest.mark.slow
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
