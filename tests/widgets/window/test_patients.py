"""Patients in a real window: opening, the dock's names, and what cannot be done."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_brats.plugin.tags import tag_of

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


def test_opening_a_patient(opened):
    """The list shows both patients; the chosen one is on the desk, its reference read-only."""
    names = [layer.name.split()[0] for layer in opened.viewer.layers]
    assert names == ["T2", "T1", "T1ce", "FLAIR", "reference"]
    assert [layer.visible for layer in opened.viewer.layers] == [False, False, False, True, True]
    assert not opened.viewer.layers[-1].editable
    assert opened.viewer.canvas.overlays["brats_left"].text == "R"
    states = [opened.patients.list.topLevelItem(0).text(column) for column in range(3)]
    assert states == [ID, "reference", "-"]


@pytest.mark.slow
def test_the_next_patient_replaces_it(opened, open_row):
    """Opening the second patient leaves only its layers."""
    open_row(1)
    assert {layer.metadata["case_id"] for layer in opened.viewer.layers} == {"BraTS2021_00001"}
    assert not opened.viewer.layers[-1].editable


@pytest.mark.slow
@pytest.mark.parametrize("kept", [["FLAIR"], ["reference"]])
def test_what_was_taken_away_comes_back(opened, open_row, kept):
    """A click on the patient whose layers were deleted, or of whom one file was dropped."""
    layers = opened.viewer.layers
    for layer in [one for one in layers if one.name.split()[0] not in kept]:
        layers.remove(layer)
    open_row(0)
    assert len(layers) == 5


@pytest.mark.slow
def test_a_damaged_patient_leaves_the_one_at_hand(opened, data, qtbot, notices):
    """A truncated file is told by name; the patient at hand stays."""
    broken = data / "BraTS2021_00001" / "BraTS2021_00001_t2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:400])
    opened.patients.list.itemClicked.emit(opened.patients.list.topLevelItem(1), 0)
    qtbot.waitUntil(lambda: bool(notices))
    qtbot.waitUntil(lambda: opened.patient_control.idle)
    assert broken.name in notices[0]
    assert {layer.metadata["case_id"] for layer in opened.viewer.layers} == {ID}


@pytest.mark.slow
def test_the_dock_is_for_everybody(opened):
    """Names for screen readers, tooltips, 320 pixels, and the cursor in the status bar."""
    controls = [
        *(opened.patients.path, opened.patients.browse, opened.patients.list),
        *(opened.models.models, opened.models.info, opened.models.devices),
        *(opened.run.segment, opened.run.cancel, opened.masks.compare),
        *(opened.masks.masks, opened.masks.table, opened.masks.save, opened.masks.save_as),
    ]
    assert all(control.accessibleName() and control.toolTip() for control in controls)
    assert opened.findChild(QScrollArea).widget().minimumSizeHint().width() <= 320
    reference = opened.viewer.layers[-1]
    index = np.argwhere(reference.data == 2)[0]
    opened.viewer.cursor.position = tuple(reference.data_to_world(index))
    x, y, z = tag_of(reference.metadata).display.file_index(index.astype(float)).astype(int)
    assert opened._status.text().endswith(f"mm, voxel {x} {y} {z}, edema")


def test_what_cannot_be_done_is_told(widget, qtbot, notices, tmp_path):
    """A wrong path, no patient, a model without weights: one notice each, nothing else."""
    widget.open(tmp_path / "missing")
    qtbot.waitUntil(lambda: bool(notices))
    assert "does not exist" in notices[0]
    assert len(widget.viewer.layers) == 0
    widget.run_control.start()
    assert "no patient is open" in notices[-1]
    assert widget.run_control.idle


@pytest.mark.slow
def test_a_passing_wheel_changes_no_menu(opened):
    """Scrolling the dock does not change model, device or mask on the way."""
    menu = opened.models.devices
    before = menu.currentIndex()
    event = QWheelEvent(
        QPointF(5, 5), QPointF(menu.mapToGlobal(QPoint(5, 5))), QPoint(0, -120), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    menu.clearFocus()
    QApplication.sendEvent(menu, event)
    assert menu.currentIndex() == before
