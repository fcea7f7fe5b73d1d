"""The window that the command line opens."""

import pytest
from qtpy.QtGui import QGuiApplication

from napari_brats.widgets.launch import show_case

pytestmark = pytest.mark.gui


@pytest.fixture
def launched(make_napari_viewer, monkeypatch, qtbot, case, fake_segment, notices):
    """Return viewer and widget, launched on a patient with a mask computed before."""
    monkeypatch.setattr("napari.Viewer", lambda **_: make_napari_viewer(show=True))
    result = fake_segment(
        case, model="net", device="cpu", on_step=lambda *_: None, on_notice=lambda _: None
    )
    folder = case.image_paths["t1"].parent
    viewer, widget = show_case(folder, model="dresunet3d", result=result)
    qtbot.waitUntil(lambda: len(widget.masks_shown()) == 1, timeout=20_000)
    return viewer, widget


def test_patient_and_mask_are_shown(launched, qtbot):
    """Four images, the reference and the mask that was computed before, scored."""
    viewer, widget = launched
    assert len(viewer.layers) == 6
    item = widget.masks.table.item
    qtbot.waitUntil(lambda: [item(row, 1).text() for row in range(3)] == ["1.000"] * 3)


@pytest.mark.slow
def test_the_window_is_large_and_on_the_screen(launched):
    """The image gets room: nine tenths of a small screen."""
    viewer, _ = launched
    _, _, width, height = viewer.window.geometry()
    screen = QGuiApplication.primaryScreen().availableGeometry()
    assert 0.85 * min(2000, screen.width()) <= width <= screen.width()
    assert 0.85 * min(1200, screen.height()) <= height <= screen.height()


@pytest.mark.slow
def test_the_menu_toggles_the_dock(launched):
    """The dock has the name under which napari's menu looks for it; no second one is made."""
    viewer, _ = launched
    assert "Segment (BraTS)" in viewer.window.dock_widgets
