"""Masks of other programs in a real window: asked, mapped, described; nothing guessed silently."""

import numpy as np
import pytest
from qtpy.QtWidgets import QDialogButtonBox

from napari_brats.editing.intake import LEFT_OUT, Label
from napari_brats.regions import Tissue, label_convention
from napari_brats.widgets.intake_dialog import IntakeDialog
from napari_brats.widgets.mask_book import mask_tag

pytestmark = pytest.mark.gui

ID = "BraTS2021_00000"


@pytest.fixture
def opened(widget, data, qtbot):
    widget.open(data / ID)
    qtbot.waitUntil(
        lambda: widget.patient_control.idle and len(widget.viewer.layers) == 5, timeout=20_000
    )
    return widget


def add(widget, name, voxels):
    reference = widget.viewer.layers[4]
    place = ("scale", "translate", "units", "axis_labels")
    return widget.viewer.add_labels(
        voxels, name=name, **{key: getattr(reference, key) for key in place}
    )


def test_the_dialog(qtbot):
    """Nothing is chosen unless a name says it; a preset fills in; OK waits for every line."""
    labels = [Label(0, 1, 10), Label(1, 1, 5), Label(1, 3, 2)]
    dialog = IntakeDialog(["WT", "other"], labels, 0.5, label_convention("brats2023-gli"))
    qtbot.addWidget(dialog)
    names = [menu.accessibleName() for menu in dialog.targets]
    assert names[1:] == ["Label 1 of other becomes", "Label 3 of other becomes"]
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert dialog.chosen() == {(0, 1): "WT", (1, 1): None, (1, 3): None}
    assert dialog.table.item(0, 2).text() == "5.00"
    assert not ok.isEnabled()
    dialog.presets.setCurrentIndex(dialog.presets.findText("nnU-Net", _contains()))
    dialog.presets.activated.emit(dialog.presets.currentIndex())
    expected = {(0, 1): Tissue.EDEMA, (1, 1): Tissue.EDEMA, (1, 3): Tissue.ENHANCING}
    assert dialog.chosen() == expected
    assert ok.isEnabled()
    dialog.targets[0].setCurrentIndex(dialog.targets[0].findText(LEFT_OUT))
    assert dialog.chosen()[0, 1] == LEFT_OUT
    assert ok.isEnabled()


def _contains():
    from qtpy.QtCore import Qt

    return Qt.MatchFlag.MatchContains


@pytest.mark.slow
def test_nnunet_order_and_binary_layers(opened, notices, qtbot, data):
    """Two foreign layers become one new, unsaved mask; they stay, and it can be saved."""
    shape = opened.viewer.layers[4].data.shape
    ordered, binary = np.zeros((2, *shape), np.uint8)
    ordered[2:5, 2:5, 2:5] = 1
    ordered[3, 3, 3] = 2
    binary[3, 3, 4] = 1
    first, second = add(opened, "nnU-Net", ordered.copy()), add(opened, "object", binary.copy())
    assert "'nnU-Net' is taken for a mask" in notices[0]
    asked = []

    def answer(names, labels, voxel_ml, convention):
        asked.append((names, [(label.layer, label.value, label.voxels) for label in labels]))
        return {(0, 1): Tissue.EDEMA, (0, 2): Tissue.NECROSIS, (1, 1): "ET"}

    opened.ask_targets = answer
    opened.exchange.intake.click()
    assert asked == [(["nnU-Net", "object"], [(0, 1, 26), (0, 2, 1), (1, 1, 1)])]
    mask = opened.masks.mask()
    assert mask.name.startswith("taken in")
    assert mask.data[3, 3, 3] == Tissue.NECROSIS
    assert (mask.data == Tissue.EDEMA).sum() == 26
    assert opened.masks.masks.currentText().startswith("\u2022")
    np.testing.assert_array_equal(first.data, ordered)
    np.testing.assert_array_equal(second.data, binary)
    opened.exchange.names.click()
    qtbot.waitUntil(lambda: "Written" in opened.exchange.words.text(), timeout=20_000)
    path = mask_tag(mask).path
    stem = path.name.removesuffix(".nii.gz")
    assert path.is_file()
    for ending in (".label", ".ctbl"):
        assert "enhancing" in path.with_name(stem + ending).read_text()


@pytest.mark.slow
def test_nothing_to_take_in(opened, notices):
    """Without foreign layers the panel says so; going back makes no mask; instances are refused."""
    opened.exchange.intake.click()
    assert "no labels layer of another program" in opened.exchange.words.text()
    shape = opened.viewer.layers[4].data.shape
    layer = add(opened, "object", np.zeros(shape, np.uint8))
    opened.exchange.intake.click()
    assert "no label is painted yet" in opened.exchange.words.text()
    layer.data_setitem((np.array([1]), np.array([1]), np.array([1])), 1)
    opened.ask_targets = lambda *labels: None
    opened.exchange.intake.click()
    assert opened.masks_shown() == [layer]
    cells = np.arange(np.prod(shape)).reshape(shape) % 50
    add(opened, "cells", cells)
    opened.exchange.intake.click()
    assert "'cells' holds 49 labels" in notices[-1]
