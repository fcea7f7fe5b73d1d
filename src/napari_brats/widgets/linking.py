"""Keep the canvases of a window at one place and one zoom."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.widgets.centering import center_with
from napari_brats.widgets.crosshair import Crosshair, place_on_canvas

if TYPE_CHECKING:
    from napari.components import ViewerModel

_MARGIN = 0.95


class Linking:
    """One cursor, one center and one zoom for several canvases.

    A slider, the wheel or the arrow keys move the cursor across the plane of their canvas. A
    click without a drag puts it where no drawing tool is in hand; Shift and moving the mouse
    lead it in any case. Where it leaves what a canvas shows, all canvases center on it.

    A canvas is told of the cursor across its own plane only: napari cuts all layers anew
    whenever any coordinate changes.

    Parameters
    ----------
    window : napari.components.ViewerModel
        The main canvas.
    views : sequence of napari.components.ViewerModel
        The others.

    Attributes
    ----------
    cursor, center : list of float
        World coordinates in mm: of the crosshair, and of the middle of the canvases.
    zoom : float
        1 where the layers just fit a canvas.
    """

    def __init__(self, window: "ViewerModel", views: "Sequence[ViewerModel]") -> None:
        self._window, self._views = window, list(views)
        self._busy = False
        self.cursor = [0.0, 0.0, 0.0, *window.dims.point][-3:]  # without layers there are two
        self.center, self.zoom = list(self.cursor), 1.0
        self._crosshairs = {view: Crosshair(view) for view in self._all()}
        self._links: list[tuple[Any, Callable[..., None]]] = []
        for view in self._all():
            self._link(view.dims.events.point, partial(self._sliced, view))
            self._link(view.dims.events.order, partial(self._turned, view))
            self._link(view.canvas.events.size, partial(self._aim, view))
            for name in ("center", "zoom"):
                signal = getattr(view.scene.camera.events, name)
                self._link(signal, partial(self._looked, view))
            view.mouse_drag_callbacks.append(self._on_drag)
            view.mouse_move_callbacks.append(self._on_move)
        self._link(window.events.reset_view, self.fit)
        center_with(window, self._go_to)
        self.fit()
        self._looked(window)

    def close(self) -> None:
        """Let go of every canvas; the main one keeps the cursor's place."""
        center_with(self._window, None)
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        for view in self._all():
            view.mouse_drag_callbacks.remove(self._on_drag)
            view.mouse_move_callbacks.remove(self._on_move)
            self._crosshairs[view].close()
        _set_point(self._window, range(3), self.cursor)

    def fit(self, event: Any = None) -> None:
        """Show the whole patient in every canvas but the main one, which has fitted itself."""
        extent = self._window.layers.extent.world
        if extent.shape[1] < 3 or not np.isfinite(extent).all():
            return
        self.center, self.zoom = np.mean(extent, axis=0)[-3:].tolist(), 1.0
        self.move(list(self._window.dims.point)[-3:])
        for view in self._views:
            self._aim(view)

    def move(self, point: "Sequence[float]") -> None:
        """Put the cursor somewhere."""
        if self._busy:
            return
        self._busy = True
        try:
            self.cursor = [float(number) for number in point]
            for view in self._all():
                _set_point(view, [_hidden(view)], self.cursor)
                self._crosshairs[view].show(self.cursor)
        finally:
            self._busy = False
        if not all(self._in_sight(view) for view in self._all()):
            self._center()

    def _go_to(self, point: "Sequence[float]") -> None:
        """Put the cursor somewhere, in the middle of every canvas."""
        self.center = [float(number) for number in point]
        self.move(point)
        self._center()

    def _all(self) -> "list[ViewerModel]":
        return [self._window, *self._views]

    def _link(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._links.append((signal, slot))

    def _sliced(self, source: "ViewerModel", event: Any = None) -> None:
        """Follow another slice on one canvas."""
        place = source.dims.point[source.dims.ndim - 3 + _hidden(source)]
        if not self._busy and place != self.cursor[_hidden(source)]:
            self.move(
                [place if axis == _hidden(source) else self.cursor[axis] for axis in range(3)]
            )

    def _turned(self, view: "ViewerModel", event: Any = None) -> None:
        """Keep place and zoom where a canvas shows another plane."""
        self.move(self.cursor)
        self._aim(view)

    def _looked(self, source: "ViewerModel", event: Any = None) -> None:
        """Let all canvases look where one was turned to, as closely."""
        if self._busy or not _flat(source):
            return
        for axis, middle in zip(_axes(source), source.scene.camera.center[-2:], strict=True):
            self.center[axis] = middle
        self.zoom = source.scene.camera.zoom / _fit(source)
        for view in self._all():
            if view is not source:
                self._aim(view)

    def _aim(self, view: "ViewerModel", event: Any = None) -> None:
        """Turn one canvas to the shared center and zoom."""
        if self._busy or not _flat(view):
            return
        self._busy = True
        try:
            row, column = (self.center[axis] for axis in _axes(view))
            view.scene.camera.center = (0.0, row, column)
            view.scene.camera.zoom = self.zoom * _fit(view)
        finally:
            self._busy = False

    def _center(self) -> None:
        """Bring the cursor to the middle of every canvas."""
        self.center = list(self.cursor)
        for view in self._all():
            self._aim(view)

    def _in_sight(self, view: "ViewerModel") -> bool:
        place, sides = place_on_canvas(view, self.cursor), view.canvas.size
        inside = all(0 <= pixel <= side for pixel, side in zip(place, sides, strict=True))
        return inside or not _flat(view)

    def _on_drag(self, view: Any, event: Any) -> Any:
        """Put the cursor where a click without a drag was."""
        moved = False
        yield
        while event.type == "mouse_move":
            moved = True
            yield
        active = view.layers.selection.active
        resting = active is None or str(active.mode) == "pan_zoom"
        if not moved and resting and event.button == 1:
            self._point_at(view, event)

    def _on_move(self, view: Any, event: Any) -> None:
        """Lead the cursor with the mouse while Shift is held."""
        if "Shift" in event.modifiers:
            self._point_at(view, event)

    def _point_at(self, view: "ViewerModel", event: Any) -> None:
        """Put the cursor under the mouse; across the canvas it stays where it is."""
        if not _flat(view):
            return
        place = list(self.cursor)
        for axis in _axes(view):
            place[axis] = event.position[len(event.position) - 3 + axis]
        self.move(place)


def _flat(view: "ViewerModel") -> bool:
    """Return whether a canvas shows a plane of a volume."""
    return bool(view.dims.ndisplay == 2 and view.dims.ndim >= 3)


def _axes(view: "ViewerModel") -> tuple[int, int]:
    """Return which of the last three axes a canvas draws as rows and as columns."""
    rows, columns = (axis - view.dims.ndim + 3 for axis in view.dims.displayed[-2:])
    return rows, columns


def _hidden(view: "ViewerModel") -> int:
    """Return which of the last three axes lies across a canvas; the first in 3D."""
    return next((axis for axis in range(3) if axis not in _axes(view)), 0)


def _set_point(view: "ViewerModel", axes: "Sequence[int]", point: "Sequence[float]") -> None:
    """Set some of the last three coordinates of a viewer's point."""
    first = view.dims.ndim - 3
    wanted = list(view.dims.point)
    for axis in axes:
        wanted[first + axis] = point[axis]
    if first >= 0 and wanted != list(view.dims.point):
        view.dims.point = tuple(wanted)


def _fit(view: "ViewerModel") -> float:
    """Return the zoom, in pixels per mm, at which the layers just fit a canvas."""
    extent = view.layers.extent
    sizes = (extent.world[1] - extent.world[0] + extent.step)[-3:]
    if len(sizes) < 3 or not np.isfinite(sizes).all() or not sizes.all():
        return 1.0
    sides = zip((max(side, 1) for side in view.canvas.size), _axes(view), strict=True)
    return float(_MARGIN * min(side / sizes[axis] for side, axis in sides))
