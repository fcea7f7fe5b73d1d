"""Painting by the rules with the mouse and the keys, in a real window."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_brats.case import load_case
from napari_brats.editing.journal import read_journal
from napari_brats.plugin.layers import mask_layer
from napari_brats.regions import Tissue, region_mask
from napari_brats.widgets.edits import checksum
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.paint_keys import BRUSH_KEYS, HELP_KEY, KEYS, OUTLINES_KEY, key_table
from napari_brats.widgets.places_panel import NEXT_KEY, PREVIOUS_KEY

pytestmark = pytest.mark.gui

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def painted(widget, data, qtbot):
    """Return the widget with a patient and a mask: nested boxes about the middle of each slice."""
    folder = data / "BraTS2021_00000"
    widget.open(folder)
    qtbot.waitUntil(lambda: len(widget.viewer.layers) == 5, timeout=20_000)
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
    case = load_case(folder)
    tissues = np.zeros(case.shape, np.uint8)
    for tissue, half in ((Tissue.EDEMA, 7), (Tissue.NECROSIS, 4), (Tissue.ENHANCING, 2)):
        inside = tuple(slice(size // 2 - half, size // 2 + half) for size in case.shape[:2])
        tissues[inside] = tissue
    widget.viewer.add_layer(build_layer(mask_layer(case, tissues, "net")))
    qtbot.waitUntil(lambda: dice(widget)[0] != "-", timeout=20_000)
    return widget


def dice(widget):
    return [widget.masks.table.item(row, 1).text() for row in range(3)]


def pixels(widget):
    """Return how many pixels of the screen a voxel is wide."""
    return widget.viewer.scene.camera.zoom


def across(widget, voxels):
    """Return a place on the canvas so many voxels right of the middle."""
    return round(voxels * pixels(widget)), 0


def test_a_stroke_of_each_region(painted, hand, qtbot):
    """Mouse, undo, redo, scores and journal: only what the rule says changes, in one step."""
    mask, paint = painted.masks.mask(), painted.paint
    before, scores = mask.data.copy(), dice(painted)
    paint.regions.click()
    paint.brushes.brushes["TC"].click()
    assert mask.mode == "paint"
    mask.brush_size = 3
    hand(painted.viewer).drag(across(painted, 0), across(painted, 5), across(painted, 9))
    after = mask.data.copy()
    changed = after != before
    assert changed.any()
    assert (before[changed] == Tissue.EDEMA).all()
    assert (after[changed] == Tissue.NECROSIS).all()
    np.testing.assert_array_equal(region_mask(after, "WT"), region_mask(before, "WT"))
    assert len(mask._undo_history) == 1
    told = dice(painted)
    painted.mask_control._board._replaced()
    assert dice(painted) == told != scores
    hand(painted.viewer).key(Qt.Key.Key_Z, "z", CONTROL)
    np.testing.assert_array_equal(mask.data, before)
    qtbot.waitUntil(lambda: dice(painted) == scores)
    mask.redo()
    np.testing.assert_array_equal(mask.data, after)
    qtbot.waitUntil(lambda: bool(painted.mask_control.journals.paths()), timeout=20_000)
    (journal,) = painted.mask_control.journals.paths()
    qtbot.waitUntil(
        lambda: checksum(read_journal(journal).voxels) == checksum(after), timeout=20_000
    )


@pytest.mark.slow
def test_locks_places_and_the_eraser(painted, hand):
    """Erase keeps what is locked; only inside ET nothing else is touched; nothing leaves WT."""
    mask, paint = painted.masks.mask(), painted.paint
    paint.regions.click()
    paint.brushes.brushes["WT"].click()
    paint.erase.click()
    assert mask.selected_label == 0
    paint.brushes.locks["TC"].click()
    assert "Locked: TC" in paint.summary.text()
    mask.brush_size = 40
    before = mask.data.copy()
    hand(painted.viewer).drag((0, 0), (1, 0))
    z = painted.viewer.dims.current_step[0]
    assert set(np.unique(mask.data[z])) == {0, 1, 3}
    np.testing.assert_array_equal(region_mask(mask.data, "TC"), region_mask(before, "TC"))
    paint.brushes.locks["TC"].click()
    paint.inside.setCurrentIndex(paint.inside.findData("ET"))
    paint.brushes.brushes["TC"].click()
    hand(painted.viewer).drag((0, 0), (1, 0))
    assert set(np.unique(mask.data[z])) == {0, 1, 2}
    np.testing.assert_array_equal(mask.data[z] == 2, before[z] == 3)


@pytest.mark.slow
def test_keys_and_wheel(painted, hand, qtbot):
    """Ctrl+1 to Ctrl+4 choose, X swaps (from the eraser too), brackets size, Ctrl+wheel moves."""
    mask, paint, keys = painted.masks.mask(), painted.paint, hand(painted.viewer)
    keys.native.setFocus()
    for place, name in enumerate(("necrosis", "edema", "enhancing tumor")):
        keys.key(Qt.Key.Key_1 + place, str(place + 1), CONTROL)
        assert painted.paint_control.painter.brush.name == name
        assert (mask.selected_label, mask.mode) == (place + 1, "paint")
    keys.key(Qt.Key.Key_4, "4", CONTROL)
    assert painted.paint_control.painter.brush.name == "enhancing tumor"
    keys.key(Qt.Key.Key_X, "x")
    assert paint.erase.isChecked()
    keys.key(Qt.Key.Key_X, "x")
    assert paint.paint.isChecked()
    keys.key(Qt.Key.Key_E, "e")
    assert (mask.mode, paint.erase.isChecked()) == ("erase", True)
    keys.key(Qt.Key.Key_X, "x")
    qtbot.waitUntil(lambda: mask.mode == "paint" and paint.paint.isChecked())
    assert mask.selected_label == Tissue.ENHANCING
    size = mask.brush_size
    keys.key(Qt.Key.Key_BracketRight, "]")
    keys.key(Qt.Key.Key_BracketRight, "]")
    keys.key(Qt.Key.Key_BracketLeft, "[")
    assert mask.brush_size == size + 1
    mask.selected_label = 2
    assert painted.paint_control.painter.brush.name == "edema"
    mask.selected_label = 4
    assert "no tissue" in paint.summary.text()
    mask.selected_label = 1
    step = painted.viewer.dims.current_step[0]
    keys.wheel((0, 0))
    assert abs(painted.viewer.dims.current_step[0] - step) == 1
    keys.key(Qt.Key.Key_F1)
    assert paint.keys.isVisible()
    assert "swap paint and erase" in paint.keys.table.text()


@pytest.mark.slow
def test_scrolling_in_the_middle_of_a_stroke(painted, hand):
    """A stroke through slices is one step, and the rules hold in each of them."""
    mask, mouse = painted.masks.mask(), hand(painted.viewer)
    painted.paint.regions.click()
    painted.paint.brushes.brushes["ET"].click()
    mask.brush_size = 3
    before = mask.data.copy()
    places = [across(painted, place) for place in (0, 5, 6, 9)]
    mouse.drag(*places, between=lambda: mouse.wheel(places[1]))
    changed = mask.data != before
    assert np.count_nonzero(changed.any(axis=(1, 2))) > 1
    assert region_mask(before, "WT")[changed].all()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.slow
def test_the_encircling_stroke(painted, hand):
    """napari's right-button outline is filled by the same rule, in one step."""
    mask, mouse = painted.masks.mask(), hand(painted.viewer)
    painted.paint.brushes.brushes["edema"].click()
    painted.paint.brushes.locks["necrosis"].click()
    mask.brush_size = 2
    before = mask.data.copy()
    side = round(6 * pixels(painted))
    corners = [(-side, -side), (side, -side), (side, side), (-side, side), (-side, -side)]
    mouse.drag(corners[0], corners[0], button=Qt.MouseButton.RightButton)
    for corner in corners[1:]:
        mouse.move(corner)
    z = painted.viewer.dims.current_step[0]
    np.testing.assert_array_equal(mask.data == 1, before == 1)
    assert not (mask.data[z] == 3).any()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)


@pytest.mark.slow
def test_windows_set_from_a_sample(painted, hand):
    """A stroke of sampling paints nothing; after it only such intensities are painted."""
    mask, paint, bands = painted.masks.mask(), painted.paint, painted.paint_control.bands
    before = mask.data.copy()
    for number, title in enumerate(("T1ce", "FLAIR")):
        combo = paint.modalities[number]
        assert not combo.isHidden()
        combo.setCurrentIndex(combo.findData(title))
    paint.brushes.brushes["enhancing tumor"].click()
    mask.brush_size = 3
    paint.sample.click()
    assert bands.sampling
    assert "sample" in paint.summary.text()
    hand(painted.viewer).drag(across(painted, 0), across(painted, 3))
    np.testing.assert_array_equal(mask.data, before)
    assert not paint.sample.isChecked()
    assert "sample" not in paint.summary.text()
    assert paint.histograms[0].bars.sample.sum() > 5
    mask.brush_size = 30
    hand(painted.viewer).drag((0, 0), (1, 0))
    changed = mask.data != before
    assert changed.any()
    for band in painted.paint_control.painter.bands:
        assert np.isfinite([band.low, band.high]).all()
        values = band.layer.data[changed]
        assert ((values >= band.low) & (values <= band.high)).all()
    paint.modalities[0].setCurrentIndex(0)
    assert [band.title for band in painted.paint_control.painter.bands] == ["FLAIR"]


@pytest.mark.slow
def test_the_panel_comes_and_goes_with_a_mask(painted):
    """Without a mask there is nothing to paint; a closed dock leaves napari's own painting."""
    mask = painted.masks.mask()
    assert painted.paint.isVisible()
    painted.paint.brushes.locks["necrosis"].click()
    mask.paint((0, 0, 0), 1)
    assert mask.data[0, 0, 0] == 0
    painted.viewer.window.remove_dock_widget(painted)
    mask.paint((0, 0, 0), 1)
    assert mask.data[0, 0, 0] == 1
    painted.paint_control.close()
    painted.places_control.close()
    assert not mask.keymap
    assert "_paint_region_with_mask" not in vars(mask)
    painted.paint_control.close = lambda: None
    painted.paint_control.choose(None)
    assert not painted.paint.isVisible()


def test_our_keys_clash_with_none_of_naparis(make_napari_viewer):
    """No key of ours is bound by napari: to its layers, its viewer, or in its menus."""
    from app_model.types import KeyBinding
    from napari._app_model import get_app_model
    from napari.components import ViewerModel
    from napari.layers import Labels
    from napari.settings import get_settings
    from napari.utils.key_bindings import coerce_keybinding

    make_napari_viewer()
    taken = {str(key) for owner in (Labels, ViewerModel) for key in owner.class_keymap}
    for keys in get_settings().shortcuts.shortcuts.values():
        taken |= {str(key) for key in keys}
    taken |= {
        str(KeyBinding.from_int(rule.keybinding.to_int())) for rule in get_app_model().keybindings
    }
    assert {"1", "X", "Ctrl+Z", "Ctrl+S"} <= taken
    for key in (*BRUSH_KEYS, HELP_KEY, OUTLINES_KEY, NEXT_KEY, PREVIOUS_KEY.replace("+", "-")):
        assert str(coerce_keybinding(key)) not in taken


def test_the_help_lists_what_is_set():
    """napari's shortcuts are told as the person has set them; every action exists."""
    from napari.settings import get_settings

    shortcuts = get_settings().shortcuts.shortcuts
    assert {key.action for key in KEYS if key.action} <= set(shortcuts)
    assert (
        dict(zip((words for _, words in key_table()), key_table(), strict=True))["smaller brush"][0]
        == "["
    )
