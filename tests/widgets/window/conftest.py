"""What the tests in a real window share: a patient that is open, and one with a mask."""

import threading
from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("napari") else ["test_*.py"]


@pytest.fixture
def open_row(widget, qtbot):
    """Return a function that opens a line of the patients' list and waits for it."""

    def open_row(place):
        row = widget.patients.rows()[place]
        tree = widget.patients.list
        tree.itemClicked.emit(tree.topLevelItem(place), 0)
        qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
        shown = [layer.metadata["case_id"] for layer in widget.viewer.layers]
        assert row.files.case_id in shown

    return open_row


@pytest.fixture
def opened(widget, data, open_row, qtbot):
    """Return the widget with the first patient open."""
    widget.open(data)
    qtbot.waitUntil(lambda: len(widget.patients.rows()) == 2)
    open_row(0)
    return widget


@pytest.fixture
def held(fake_segment):
    """Return a segmentation that waits, and the gate that lets it go on."""
    gate = threading.Event()

    def segment(patient, **options):
        gate.wait(20)
        return fake_segment(patient, **options)

    yield segment, gate
    gate.set()


@pytest.fixture
def dice(widget):
    """Return a function that reads the Dice of WT, TC and ET from the table."""
    return lambda: [widget.masks.table.item(row, 1).text() for row in range(3)]


@pytest.fixture
def run_model(widget, dice, qtbot):
    """Return a function that segments the patient at hand and returns the mask."""

    def run_model():
        count = len(widget.masks_shown())
        widget.run.segment.click()
        qtbot.waitUntil(lambda: len(widget.masks_shown()) > count, timeout=20_000)
        qtbot.waitUntil(lambda: widget.run_control.idle and dice()[0] != "-", timeout=20_000)
        return widget.masks.mask()

    return run_model


@pytest.fixture
def masked(opened, run_model):
    """Return the widget with the first patient open and a mask of it."""
    run_model()
    return opened
