"""Three planes, tiles, 3D, difference and outlines in a real window."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_brats.case import load_case
from napari_brats.editing.journal import read_journal
from napari_brats.plugin.differences import difference_codes
from napari_brats.plugin.layers import mask_layer
from napari_brats.regions import Tissue, region_mask
from napari_brats.widgets.centering import show_place, unwrapped
from napari_brats.widgets.docking import around
from napari_brats.widgets.edits import checksum
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.solid import BRAIN
from napari_brats.widgets.views_panel import PLANES, SOLID, TILES

pytestmark = [pytest.mark.gui, pytest.mark.slow]

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def shown(widget, data, qtbot):
    """Return the widget with a patient and a mask: nested boxes about the middle."""
    return open_patient(widget, data / "BraTS2021_00000", qtbot)


def open_patient(widget, folder, qtbot):
    case = load_case(folder)
    widget.open(folder)
    qtbot.waitUntil(
        lambda: any(case.case_id in layer.name for layer in widget.viewer.layers), timeout=20_000
    )
    qtbot.waitUntil(lambda: widget.patient_control.idle, timeout=20_000)
    tissues = np.zeros(case.shape, np.uint8)
    for tissue, half in ((Tissue.EDEMA, 5), (Tissue.NECROSIS, 4), (Tissue.ENHANCING, 2)):
        tissues[tuple(slice(size // 2 - half, size // 2 + half) for size in case.shape)] = tissue
    widget.viewer.add_layer(build_layer(mask_layer(case, tissues, "net")))
    qtbot.waitUntil(lambda: dice(widget)[0] != "-", timeout=20_000)
    return widget


def dice(widget):
    return [widget.masks.table.item(row, 1).text() for row in range(3)]


def canvases(widget):
    return widget.views_control.canvases


def letters(canvas):
    found = canvas._letters.letters()
    return "".join(found[edge] for edge in ("top", "bottom", "left", "right"))


def middle(mask):
    return mask.data_to_world(np.median(np.nonzero(mask.data), axis=1))


class CanvasHand:
    """What the `hand` fixture needs of a canvas."""

    def __init__(self, canvas):
        self.window = self
        self._qt_viewer = canvas.qt_viewer


def test_docks_from_the_menu(make_napari_viewer, data, qtbot):
    """napari hands its viewer to plugins wrapped; planes open beside the dock, Scores over it."""
    viewer = make_napari_viewer(show=True)
    dock, segment = (
        unwrapped(one) for one in viewer.window.add_plugin_dock_widget("napari-brats", "Segment")
    )
    segment.open(data / "BraTS2021_00000")
    qtbot.waitUntil(lambda: len(viewer.layers) > 3 and segment.patient_control.idle, timeout=20_000)
    window = around(segment, QMainWindow)
    window.resize(2000, 900)
    qtbot.waitUntil(lambda: window.centralWidget().width() > 1000, timeout=5_000)
    segment.views.views[PLANES].click()
    assert len(canvases(segment)) == 2
    planes = around(canvases(segment)[0], QDockWidget)
    qtbot.waitUntil(lambda: planes.width() > 400, timeout=5_000)
    scores, _ = viewer.window.add_plugin_dock_widget("napari-brats", "Scores")
    qtbot.waitUntil(lambda: dock in window.tabifiedDockWidgets(unwrapped(scores)), timeout=5_000)
    assert segment.views.views[PLANES].isChecked()


def test_paint_in_the_coronal_plane(shown, hand, qtbot):
    """Rules, one undo step, scores and journal hold there as in the main canvas."""
    shown.views.views[PLANES].click()
    coronal, sagittal = canvases(shown)
    assert [one.caption.text() for one in canvases(shown)] == ["Coronal", "Sagittal"]
    assert (letters(coronal), letters(sagittal)) == ("SIRL", "SIAP")
    mask = shown.masks.mask()
    show_place(shown.viewer, middle(mask))
    before, scores = mask.data.copy(), dice(shown)
    shown.paint.regions.click()
    shown.paint.brushes.brushes["TC"].click()
    mask.brush_size = 3
    mouse = hand(CanvasHand(coronal))
    across = [(round(step * coronal.model.scene.camera.zoom), 0) for step in (0, 3, 8)]
    mouse.drag(*across)
    after = mask.data.copy()
    changed = after != before
    assert changed.any()
    assert len(set(np.nonzero(changed)[1])) == 1
    assert (before[changed] == Tissue.EDEMA).all()
    np.testing.assert_array_equal(region_mask(after, "WT"), region_mask(before, "WT"))
    assert len(mask._undo_history) == 1
    told = dice(shown)
    shown.mask_control._board._replaced()
    assert dice(shown) == told != scores
    raw = sagittal.twin_of(mask)._slice.image.raw
    np.testing.assert_array_equal(raw, mask.data[:, :, round(mask.world_to_data(middle(mask))[2])])
    mouse.native.setFocus()
    mouse.key(Qt.Key.Key_Z, "z", CONTROL)
    np.testing.assert_array_equal(mask.data, before)
    mask.redo()
    qtbot.waitUntil(lambda: bool(shown.mask_control.journals.paths()), timeout=20_000)
    (journal,) = shown.mask_control.journals.paths()
    qtbot.waitUntil(
        lambda: checksum(read_journal(journal).voxels) == checksum(after), timeout=20_000
    )


def test_keys_wheel_and_cursor_in_another_plane(shown, hand):
    """Brush keys act on the mask, wheel and arrows on the plane, Shift and the mouse on all."""
    shown.views.views[PLANES].click()
    coronal, sagittal = canvases(shown)
    mask = shown.masks.mask()
    show_place(shown.viewer, middle(mask))
    mouse = hand(CanvasHand(coronal))
    mouse.native.setFocus()
    mouse.move((0, 0))
    mouse.key(Qt.Key.Key_2, "2", CONTROL)
    assert (mask.selected_label, mask.mode) == (Tissue.EDEMA, "paint")
    size = mask.brush_size
    mouse.key(Qt.Key.Key_BracketRight, "]")
    assert mask.brush_size == size + 1
    linking, step = shown.views_control.linking, coronal.model.dims.current_step[1]
    others = linking.cursor[0], linking.cursor[2]
    mouse.key(Qt.Key.Key_Right)
    mouse.wheel((0, 0), clicks=-1)
    assert coronal.model.dims.current_step[1] == step + 2
    assert linking.cursor == [others[0], coronal.model.dims.point[1], others[1]]
    cursor = list(linking.cursor)
    before = mask.data.copy()
    shift = Qt.KeyboardModifier.ShiftModifier
    local = QPointF(mouse._point((12, 9)))
    none = Qt.MouseButton.NoButton
    where = QPointF(mouse.native.mapToGlobal(local.toPoint()))
    mouse._send(QMouseEvent(QEvent.Type.MouseMove, local, where, none, none, shift))
    zoom = coronal.model.scene.camera.zoom
    moved = np.subtract(linking.cursor, cursor)
    np.testing.assert_allclose(moved, (9 / zoom, 0, 12 / zoom), atol=1.01 / zoom)
    assert shown.viewer.dims.point[0] == pytest.approx(cursor[0] + 9 / zoom, abs=1.01)
    assert sagittal.model.dims.point[2] == pytest.approx(cursor[2] + 12 / zoom, abs=1.01)
    np.testing.assert_array_equal(mask.data, before)
    mouse.key(Qt.Key.Key_H, "h")
    assert (mask.contour, coronal.twin_of(mask).contour) == (1, 1)
    assert shown.views.outlines.isChecked()


def test_the_views_follow_layers_masks_and_patients(shown, data, qtbot):
    """Visibility, contrast, a second mask, removal, another plane, and the next patient."""
    shown.views.views[PLANES].click()
    coronal, _ = canvases(shown)
    viewer, mask = shown.viewer, shown.masks.mask()
    image = viewer.layers[0]
    image.visible = True
    image.contrast_limits = (0.2, 0.4)
    assert coronal.twin_of(image).visible
    assert tuple(coronal.twin_of(image).contrast_limits) == (0.2, 0.4)
    shown_ones = [one.name for one in viewer.layers if one.visible]
    assert [one.name for one in coronal.model.layers] == shown_ones
    viewer.layers.move(0, 4)
    moved = [one.name for one in viewer.layers if one.visible]
    assert [one.name for one in coronal.model.layers] == moved != shown_ones
    assert coronal.model.layers.selection.active is coronal.twin_of(viewer.layers.selection.active)
    viewer.layers.selection.active = mask
    viewer.layers.remove(mask)
    assert coronal.twin_of(mask) is None
    viewer.dims.order = (1, 0, 2)
    assert [one.caption.text() for one in canvases(shown)] == ["Axial", "Sagittal"]
    viewer.dims.order = (0, 1, 2)
    open_patient(shown, data / "BraTS2021_00001", qtbot)
    visible = [one for one in viewer.layers if one.visible]
    assert len(visible) >= 2
    assert all(coronal.twin_of(one).data is one.data for one in visible)
    assert letters(coronal) == "SIRL"
    assert coronal.model.dims.point[1] == shown.views_control.linking.cursor[1]


def test_tiles_compare_with_the_reference(shown, qtbot):
    """Mask, reference and difference in one plane; the difference follows a stroke."""
    mask = shown.masks.mask()
    shown.views.views[TILES].click()
    reference, difference = canvases(shown)
    control = shown.views_control
    assert reference.caption.text() == "Reference"
    assert not control.difference.layer.visible
    expected = shown.mask_control.book.reference_of(mask)
    assert not expected.visible
    assert reference.twin_of(expected).visible
    assert reference.twin_of(mask) is None
    layer = control.difference.layer
    assert difference.twin_of(layer).visible
    mask.brush_size = 5
    mask.paint(tuple(mask.world_to_data(middle(mask))), 0)
    right = difference_codes(mask.data, expected.data)
    qtbot.waitUntil(lambda: np.array_equal(layer.data, right), timeout=5000)
    assert difference.model.dims.order == shown.viewer.dims.order
    shown.views.difference.click()
    assert layer.visible
    shown.views.views[PLANES].click()
    assert not shown.views.views[TILES].isChecked()
    assert layer in shown.viewer.layers
    shown.views.regions.setCurrentIndex(shown.views.regions.findData("ET"))
    np.testing.assert_array_equal(layer.data, difference_codes(mask.data, expected.data, "ET"))
    shown.views.difference.click()
    assert layer not in shown.viewer.layers


def test_regions_in_three_dimensions(shown, hand, qtbot):
    """Surfaces in the regions' colors that follow the mask; the mouse there paints nothing."""
    mask = shown.masks.mask()
    shown.views.views[SOLID].click()
    solid = shown.views_control.solid
    qtbot.waitUntil(lambda: len(solid.model.layers) >= 3, timeout=20_000)
    assert (
        {"ET", "TC", "WT"}
        <= {layer.name for layer in solid.model.layers}
        <= {
            "ET",
            "TC",
            "WT",
            BRAIN,
        }
    )
    corners = solid.model.layers["WT"].data[0]
    inside = np.argwhere(mask.data)
    np.testing.assert_allclose(corners.mean(0), inside.mean(0), atol=0.6)
    before = mask.data.copy()
    mask.mode = "paint"
    hand(CanvasHand(solid)).drag((0, 0), (20, 5))
    np.testing.assert_array_equal(mask.data, before)
    mask.data_setitem(np.nonzero(mask.data == Tissue.ENHANCING), Tissue.NECROSIS)
    qtbot.waitUntil(lambda: not solid.model.layers["ET"].visible, timeout=20_000)
    shown.viewer.layers.remove(mask)
    assert not solid.model.layers
    shown.views.views[SOLID].click()
    assert shown.views_control.solid is None


def test_the_dock_comes_and_goes(shown, qtbot):
    """The dock closes with the last view, by its own button too, and with the window."""
    views = shown.views.views
    docks = shown.viewer.window.dock_widgets
    views[PLANES].click()
    views[SOLID].click()
    assert "BraTS views" in docks
    views[PLANES].click()
    assert "BraTS views" in docks
    views[SOLID].click()
    assert "BraTS views" not in shown.viewer.window.dock_widgets
    place = shown.viewer.dims.point
    views[PLANES].click()
    overlays = shown.viewer.canvas.overlays
    assert overlays["brats_cross_up"].visible
    dock = shown.views_control._dock._dock
    dock.destroyOnClose()
    qtbot.waitUntil(lambda: not views[PLANES].isChecked(), timeout=5000)
    assert canvases(shown) == []
    assert "brats_cross_up" not in overlays
    assert shown.viewer.dims.point == place
    views[PLANES].click()
    assert len(canvases(shown)) == 2


def test_planes_before_the_patient(widget, data, qtbot):
    """Three planes switched on in an empty window are there when the first patient comes."""
    widget.views.views[PLANES].click()
    open_patient(widget, data / "BraTS2021_00000", qtbot)
    assert [canvas.caption.text() for canvas in canvases(widget)] == ["Coronal", "Sagittal"]
    place = widget.masks.mask().data_to_world((4, 5, 6))
    widget.views_control.linking.move(place)
    points = [canvas.model.dims.point for canvas in canvases(widget)]
    assert (points[0][1], points[1][2]) == pytest.approx(tuple(place[1:]))
    widget.viewer.layers.clear()
    open_patient(widget, data / "BraTS2021_00001", qtbot)
    assert [canvas.caption.text() for canvas in canvases(widget)] == ["Coronal", "Sagittal"]
