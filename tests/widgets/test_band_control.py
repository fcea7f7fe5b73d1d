"""Windows of intensity follow the patient and the images that are there."""

import pytest
from qtpy.QtCore import QPoint, Qt

from napari_brats.case import load_case
from napari_brats.widgets.band_control import BandControl
from napari_brats.widgets.paint_panel import PaintPanel
from napari_brats.widgets.painter import Painter


@pytest.fixture
def bands(qtbot, case, show_case, add_mask):
    """Return windows for a mask of a tiny patient, on a panel that is shown nowhere."""
    viewer, panel = show_case(case), PaintPanel()
    qtbot.addWidget(panel)
    control = BandControl(viewer, panel, Painter())
    control.choose(add_mask(case))
    return control


def offered(combo):
    return [combo.itemText(index) for index in range(combo.count())]


def choose(control, number, title):
    combo = control._panel.modalities[number]
    combo.setCurrentIndex(combo.findData(title))


def titles(control):
    return [band.title for band in control._painter.bands]


def test_no_mask(qtbot, viewer):
    """Before any mask nothing is offered and a sample cannot begin."""
    panel = PaintPanel()
    qtbot.addWidget(panel)
    control = BandControl(viewer, panel, Painter())
    control.choose(None)
    panel.sample.setChecked(True)
    assert not control.sampling
    control.close()


def test_choosing(bands):
    """The second window comes with the first and offers the other modalities."""
    first, second = bands._panel.modalities
    assert offered(first) == ["any intensity", "T2", "T1", "T1ce", "FLAIR"]
    assert second.parentWidget().isHidden()
    choose(bands, 0, "T1ce")
    assert not second.parentWidget().isHidden()
    assert offered(second) == ["any intensity", "T2", "T1", "FLAIR"]
    choose(bands, 1, "T2")
    assert titles(bands) == ["T1ce", "T2"]
    choose(bands, 0, "FLAIR")
    assert titles(bands) == ["FLAIR", "T2"]
    choose(bands, 0, "")
    assert titles(bands) == ["T2"]
    assert first.currentData() == "T2"


def test_an_image_that_goes(bands, viewer):
    """A window on a deleted layer goes with it; the other stays."""
    choose(bands, 0, "T1ce")
    choose(bands, 1, "T2")
    viewer.layers.remove(next(layer for layer in viewer.layers if "T1ce" in layer.name))
    assert titles(bands) == ["T2"]


def test_another_patient(bands, add_mask, tmp_path, make_patient_folder):
    """Intensities of one patient mean nothing in the next: the windows go."""
    choose(bands, 0, "T1ce")
    folder = make_patient_folder(tmp_path / "next", case_id="BraTS2021_00009")
    bands.choose(add_mask(load_case(folder)))
    assert titles(bands) == []


def test_dragging_a_handle(bands, qtbot):
    """The handle follows the mouse while the window that it sets is shown again."""
    histogram = bands._panel.histograms[0]
    histogram.resize(200, 80)

    def show():
        (band,) = bands._painter.bands
        histogram.show_window(band.low, band.high, band.words)

    bands._painter.on_change.append(show)
    choose(bands, 0, "T1ce")
    slider = histogram.slider
    middle = slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(8, middle))
    for x in (20, 50, 80, 100):
        qtbot.mouseMove(slider, QPoint(x, middle))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(100, middle))
    (band,) = bands._painter.bands
    assert slider.minimum() < band.low < slider.maximum()
    assert band.high == float("inf")
    low, high = slider.value()
    assert (low, high) == (pytest.approx(band.low), slider.maximum())
    assert histogram.bars.inside[0] == pytest.approx(0.5, abs=0.15)
