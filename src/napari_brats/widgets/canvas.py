"""One further canvas of a window: the viewer's layers along another plane, or some of them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.qt import QtViewer
from napari.utils.key_bindings import KeymapProvider
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_brats.plugin.tags import tag_of
from napari_brats.widgets.cursor import CursorReadout
from napari_brats.widgets.mirrors import Mirror, can_mirror, hand_on
from napari_brats.widgets.orientation import OrientationLetters

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANES = {"S": "Axial", "I": "Axial", "A": "Coronal", "P": "Coronal", "R": "Sagittal"}
PLANES["L"] = PLANES["R"]
"""Name of the plane that lies across a direction of the patient."""

Shows = Callable[[Any], bool]
"""Says of a layer whether a canvas shows it."""


class _Keys(KeymapProvider):  # type: ignore[misc]  # napari ships no types
    """Keys that act on the canvas itself: another slice."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.bind_key("Left", lambda _: viewer.dims._increment_dims_left())
        self.bind_key("Right", lambda _: viewer.dims._increment_dims_right())


class _QtCanvas(QtViewer):  # type: ignore[misc]  # napari ships no types
    """napari's canvas with its slider; other keys go where those of the main canvas go."""

    def __init__(self, viewer: ViewerModel, window: ViewerModel) -> None:
        self._window, self._keys = window, _Keys(viewer)
        super().__init__(viewer)
        self.setAcceptDrops(False)
        window.layers.selection.events.active.connect(self._on_active_change)

    def let_go(self) -> None:
        """Stop following the window."""
        self._window.layers.selection.events.active.disconnect(self._on_active_change)

    def _on_active_change(self) -> None:
        active = self._window.layers.selection.active
        layers = [] if active is None else [active]
        self._key_map_handler.keymap_providers = [self._keys, *layers, self._window]


class Canvas(QWidget):
    """A caption and a canvas that follow a window's viewer.

    Parameters
    ----------
    window : napari.components.ViewerModel
        The window's viewer; its plain volumes are shown, with the look they have there.
    shows : callable
        As in `Shows`.
    alone : callable
        Says which of them are visible here even if they are hidden there.
    show_place : callable
        Takes the place under the cursor as text.
    parent : QWidget, optional

    Attributes
    ----------
    model : napari.components.ViewerModel
        The canvas' own.
    title : str
        What the caption says before the plane.
    """

    def __init__(
        self,
        window: ViewerModel,
        shows: Shows,
        alone: Shows,
        show_place: Callable[[str], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._window, self._shows, self._alone = window, shows, alone
        self._mirrors: dict[Any, Mirror] = {}
        self._hidden: list[Any] = []
        self._order: tuple[int, ...] = ()
        self.title = ""
        self.model = ViewerModel()
        self.model.theme = window.theme
        self.qt_viewer = _QtCanvas(self.model, window)
        self.caption = QLabel(self)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addWidget(self.qt_viewer, 1)
        self._letters = OrientationLetters(self.model)
        self._readout = CursorReadout(self.model, show_place)
        clicks = "mouse_drag_callbacks"
        self.model.mouse_drag_callbacks.append(partial(hand_on, window, clicks))
        self._links = (
            (window.layers.events.inserted, self.follow),
            (window.layers.events.removed, self.follow),
            (window.layers.events.reordered, self.follow),
            (window.layers.selection.events.active, self._select),
            (window.events.theme, self._dress),
        )
        for signal, slot in self._links:
            signal.connect(slot)
        self.follow()

    def close_view(self) -> None:
        """Let go of the window for good."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._wait_for([])
        parts: list[Any] = [self._letters, self._readout, *self._mirrors.values()]
        for part in parts:
            part.close()
        self._mirrors.clear()
        self.model.layers.clear()
        self.qt_viewer.let_go()
        self.qt_viewer.close()
        self.qt_viewer.deleteLater()
        self.hide()
        self.deleteLater()

    def look_along(self, order: "Sequence[int]") -> None:
        """Show the plane of the last two display axes of an order, also of layers to come."""
        self._order, dims = tuple(order), self.model.dims
        if dims.ndim == len(self._order) and tuple(dims.order) != self._order:
            dims.order = self._order
        self.name_plane()

    def name_plane(self) -> None:
        """Write caption and letters anew."""
        self._letters.update()
        plane = plane_name(self.model)
        self.caption.setText(self.title or plane)
        self.setAccessibleName(self.caption.text())

    def twin_of(self, layer: Any) -> Any:
        """Return what stands for a layer of the window here, or None."""
        mirror = self._mirrors.get(layer)
        return None if mirror is None else mirror.twin

    def follow(self, event: Any = None) -> None:
        """Bring layers and their order in line with the window's.

        A layer costs 0.2 s, so that one that is hidden comes when it is first shown.
        """
        ours = [one for one in self._window.layers if can_mirror(one) and self._shows(one)]
        self._wait_for([one for one in ours if not self._due(one)])
        wanted = [one for one in ours if self._due(one)]
        for layer in [one for one in self._mirrors if one not in wanted]:
            mirror = self._mirrors.pop(layer)
            mirror.close()
            self.model.layers.remove(mirror.twin)
        for place, layer in enumerate(wanted):
            if layer not in self._mirrors:
                mirror = Mirror(layer, lambda: self._window.dims.point, shown=self._alone(layer))
                self._mirrors[layer] = mirror
                self.model.layers.insert(place, mirror.twin)
            found = self.model.layers.index(self._mirrors[layer].twin)
            if found != place:
                self.model.layers.move(found, place)
        self._select()
        self.look_along(self._order)

    def _due(self, layer: Any) -> bool:
        """Return whether a layer is shown here, or was."""
        return layer in self._mirrors or layer.visible or self._alone(layer)

    def _wait_for(self, layers: list[Any]) -> None:
        """Let hidden layers come when they are shown."""
        for layer in self._hidden:
            layer.events.visible.disconnect(self.follow)
        for layer in layers:
            layer.events.visible.connect(self.follow)
        self._hidden = layers

    def _select(self, event: Any = None) -> None:
        """Let the mouse work on the layer it works on in the window."""
        self.model.layers.selection.active = self.twin_of(self._window.layers.selection.active)

    def _dress(self, event: Any = None) -> None:
        self.model.theme = self._window.theme


def plane_name(viewer: ViewerModel) -> str:
    """Return the plane that a viewer's canvas shows; empty without a patient of ours."""
    hidden = viewer.dims.not_displayed
    for layer in viewer.layers:
        tag = tag_of(layer.metadata)
        if tag is not None and hidden:
            return PLANES[tag.display.directions[hidden[-1] - viewer.dims.ndim + layer.ndim]]
    return ""
