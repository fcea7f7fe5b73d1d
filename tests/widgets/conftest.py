"""What the window's tests share: a viewer without a window, and fakes of slow things."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_brats.case import load_case, segmentation_of
from napari_brats.regions import REGIONS
from napari_brats.widgets.close_guard import Answer

collect_ignore_glob = [] if find_spec("napari") else ["test_*.py"]


@pytest.fixture(autouse=True)
def _display(request):
    """Skip tests that open windows where none can open, unless they are required."""
    if request.node.get_closest_marker("gui") is None or "NAPARI_BRATS_REQUIRE_GUI" in os.environ:
        return
    headless = os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal")
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if headless or (sys.platform.startswith("linux") and not shown):
        pytest.skip("there is no display: run under xvfb-run, or set NAPARI_BRATS_REQUIRE_GUI=1")


@pytest.fixture
def case(tmp_path, make_patient_folder):
    """Return a tiny patient with a reference."""
    return load_case(make_patient_folder(tmp_path / "data"))


@pytest.fixture
def viewer():
    """Return napari's viewer model: layers, dims and overlays, no window."""
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def show_case(viewer):
    """Return a function that puts a case's layers into the viewer."""
    from napari_brats.plugin.layers import case_layers
    from napari_brats.widgets.opening import build_layer

    def show(case, view_convention="radiological"):
        for data in case_layers(case, view_convention):
            viewer.add_layer(build_layer(data))
        return viewer

    return show


@pytest.fixture
def add_mask(viewer):
    """Return a function that adds a mask of a case to the viewer."""
    from napari_brats.plugin.layers import mask_layer
    from napari_brats.widgets.opening import build_layer

    def add(case, tissues=None, title="net"):
        voxels = np.zeros(case.shape, np.uint8) if tissues is None else tissues
        return viewer.add_layer(build_layer(mask_layer(case, voxels, title)))

    return add


@pytest.fixture
def mask(case, show_case, add_mask):
    """Return a copy of the reference as a mask, in a viewer with its patient."""
    show_case(case)
    return add_mask(case, case.reference.copy())


@pytest.fixture
def middle(mask):
    """Return a voxel in the middle of the mask's tumor."""
    return tuple(np.median(np.nonzero(mask.data), axis=1).astype(int).tolist())


@pytest.fixture
def other_view():
    """Return a function that makes the model of another canvas along a plane."""
    from napari.components import ViewerModel

    def make(order, *layers):
        view = ViewerModel()
        for layer in layers:
            view.add_layer(layer)
        view.dims.order = order
        return view

    return make


class Later:
    """Collects what an event loop would do in its next turn."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def turn(self) -> None:
        """Do what was collected."""
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


@pytest.fixture
def later():
    """Return a stand-in for the event loop's next turn."""
    return Later()


@pytest.fixture
def fake_segment():
    """Return a stand-in for `workflows.segment.segment`: copies the reference in four steps."""

    def segment(patient, *, model, device, on_step, on_notice, mirror=False):
        case = patient if hasattr(patient, "case_id") else load_case(patient)
        for done in range(1, 5):
            on_step(done, 4)
        return SimpleNamespace(
            case=case,
            segmentation=segmentation_of(case, case.reference.copy()),
            probabilities=np.full((len(REGIONS), *case.shape), 0.5, np.float32),
            maker=f"{model}-lite{'-mirrored' * mirror}",
            device="cpu",
            device_title="CPU, float32",
            seconds={"total": 0.1},
        )

    return segment


@pytest.fixture
def notices(monkeypatch):
    """Collect what napari would show as notifications."""
    found = []
    for kind in ("info", "warning", "error"):
        monkeypatch.setattr(
            f"napari.utils.notifications.show_{kind}", lambda text, kind=kind: found.append(text)
        )
    return found


@pytest.fixture
def data(tmp_path, make_patient_folder):
    """Write two patients with references below one root."""
    root = tmp_path / "data"
    for number in (0, 1):
        make_patient_folder(root, case_id=f"BraTS2021_0000{number}", seed=number + 1)
    return root


@pytest.fixture
def widget(make_napari_viewer, qtbot, fake_segment, notices, monkeypatch):
    """Return the widget docked in a shown window; unsaved edits are dropped at the end."""
    from napari_brats.widgets.segment import SegmentWidget

    monkeypatch.setattr("napari_brats.widgets.segment.set_aside", lambda: None)
    viewer = make_napari_viewer(show=True)
    widget = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Segment")
    widget.run_control.segment = fake_segment
    widget.models.model = lambda: "net"
    widget.ask = lambda titles: Answer.DISCARD
    return widget


class Hand:
    """A hand on the mouse and the keys over a viewer's canvas.

    Places are in pixels from the canvas' middle, where the middle voxel of the slice is.
    """

    def __init__(self, viewer):
        self.native = viewer.window._qt_viewer.canvas.native

    def drag(self, *places, button=Qt.MouseButton.LeftButton, between=None):
        """Press at the first place, move over the others, release at the last."""
        self.move(places[0])
        self._mouse(QEvent.Type.MouseButtonPress, places[0], button, button)
        for place in places[1:]:
            if between is not None:
                between()
            self.move(place, button)
        self._mouse(QEvent.Type.MouseButtonRelease, places[-1], button, Qt.MouseButton.NoButton)

    def move(self, place, held=Qt.MouseButton.NoButton):
        """Move the mouse."""
        self._mouse(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, held)

    def wheel(self, place, clicks=1, modifier=Qt.KeyboardModifier.ControlModifier):
        """Turn the wheel by so many clicks upward."""
        local = self._point(place)
        event = QWheelEvent(
            QPointF(local),
            QPointF(self.native.mapToGlobal(local)),
            QPoint(0, 0),
            QPoint(0, 120 * clicks),
            Qt.MouseButton.NoButton,
            modifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        self._send(event)

    def key(self, key, text="", modifier=Qt.KeyboardModifier.NoModifier):
        """Press and release a key."""
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            self._send(QKeyEvent(kind, key, modifier, text))

    def _mouse(self, kind, place, button, held):
        local = self._point(place)
        position, outside = QPointF(local), QPointF(self.native.mapToGlobal(local))
        none = Qt.KeyboardModifier.NoModifier
        self._send(QMouseEvent(kind, position, outside, button, held, none))

    def _point(self, place):
        return QPoint(self.native.width() // 2 + place[0], self.native.height() // 2 + place[1])

    def _send(self, event):
        QApplication.sendEvent(self.native, event)
        QApplication.processEvents()


@pytest.fixture
def hand():
    """Return a function that lays a hand on a viewer's canvas."""
    return Hand
