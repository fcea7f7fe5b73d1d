"""Keep the canvases of a window at one place and one zoom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.widgets.centering import center_with

if TYPE_CHECKING:
    from napari.components import ViewerModel

_MARGIN = 0.95


@dataclass
class _Shared:
    """What all canvases look at.

    Parameters
    ----------
    center : list of float
        World coordinates in mm of what is in the middle of the canvases.
    zoom : float
        1 where the layers just fit a canvas.
    """

    center: list[float]
    zoom: float = 1.0


class Linking:
    """One cursor, one center and one zoom for several canvases.

    The cursor is napari's own point: sliders, wheel and keys move it too. A click without a
    drag puts it where no drawing tool is in hand; Shift and moving the mouse lead it in any
    case. Where it leaves what a canvas shows, all canvases center on it.

    Parameters
    ----------
    window : napari.components.ViewerModel
        The main canvas.
    views : sequence of napari.components.ViewerModel
        The others.
    """

    def __init__(self, window: "ViewerModel", views: "Sequence[ViewerModel]") -> None:
        self._window, self._views = window, list(views)
        self._busy = False
        self._shared = _Shared(list(window.dims.point))
        self._links: list[tuple[Any, Callable[..., None]]] = []
        for view in self._all():
            self._link(view.dims.events.point, partial(self._moved, view))
            for name in ("center", "zoom"):
                signal = getattr(view.scene.camera.events, name)
                self._link(signal, partial(self._looked, view))
            if view is not window:
                self._link(view.canvas.events.size, partial(self._aim, view))
                self._link(view.dims.events.order, partial(self._aim, view))
            view.mouse_drag_callbacks.append(self._on_drag)
            view.mouse_move_callbacks.append(self._on_move)
        self._link(window.events.reset_view, self.fit)
        center_with(window, self._center)
        self.fit()
        self._looked(window)

    def close(self) -> None:
        """Let go of every canvas."""
        center_with(self._window, None)
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        for view in self._all():
            view.mouse_drag_callbacks.remove(self._on_drag)
            view.mouse_move_callbacks.remove(self._on_move)

    def fit(self, event: Any = None) -> None:
        """Show the whole patient in every canvas but the main one, which has fitted itself."""
        extent = self._window.layers.extent.world
        if extent.shape[1] < 3 or not np.isfinite(extent).all():
            return
        self._shared.center = np.mean(extent, axis=0)[-3:].tolist()
        self._shared.zoom = 1.0
        for view in self._views:
            self._place(view)
            self._aim(view)

    def _all(self) -> "list[ViewerModel]":
        return [self._window, *self._views]

    def _link(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._links.append((signal, slot))

    def _moved(self, source: "ViewerModel", event: Any = None) -> None:
        """Put the cursor of all canvases where that of one went."""
        if self._busy:
            return
        self._busy = True
        try:
            point = list(source.dims.point)[-3:]
            for view in self._all():
                if view is not source:
                    self._place(view, point)
        finally:
            self._busy = False
        if not all(_in_sight(view) for view in self._all()):
            self._center(point)

    def _place(self, view: "ViewerModel", point: "Sequence[float] | None" = None) -> None:
        wanted = list(self._window.dims.point)[-3:] if point is None else list(point)
        whole = [*list(view.dims.point)[: view.dims.ndim - len(wanted)], *wanted]
        if view.dims.ndim >= len(wanted) and tuple(whole) != tuple(view.dims.point):
            view.dims.point = tuple(whole)

    def _looked(self, source: "ViewerModel", event: Any = None) -> None:
        """Let all canvases look where one was turned to, as closely."""
        if self._busy or source.dims.ndisplay != 2 or source.dims.ndim < 3:
            return
        for axis, middle in zip(_axes(source), source.scene.camera.center[-2:], strict=True):
            self._shared.center[axis] = middle
        self._shared.zoom = source.scene.camera.zoom / _fit(source)
        for view in self._all():
            if view is not source:
                self._aim(view)

    def _aim(self, view: "ViewerModel", event: Any = None) -> None:
        """Turn one canvas to the shared center and zoom."""
        if self._busy or view.dims.ndisplay != 2 or view.dims.ndim < 3:
            return
        self._busy = True
        try:
            row, column = (self._shared.center[axis] for axis in _axes(view))
            view.scene.camera.center = (0.0, row, column)
            view.scene.camera.zoom = self._shared.zoom * _fit(view)
        finally:
            self._busy = False

    def _center(self, point: "Sequence[float]") -> None:
        """Bring a place to the middle of every canvas."""
        self._shared.center = list(point)
        for view in self._all():
            self._aim(view)

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
            self._go(view, event.position)

    def _on_move(self, view: Any, event: Any) -> None:
        """Lead the cursor with the mouse while Shift is held."""
        if "Shift" in event.modifiers:
            self._go(view, event.position)

    def _go(self, view: "ViewerModel", position: "Sequence[float]") -> None:
        if view.dims.ndisplay == 2 and view.dims.ndim == len(position):
            view.dims.point = tuple(float(number) for number in position)


def _axes(view: "ViewerModel") -> tuple[int, int]:
    """Return which of the last three axes a canvas draws as rows and as columns."""
    rows, columns = (axis - view.dims.ndim + 3 for axis in view.dims.displayed[-2:])
    return rows, columns


def _fit(view: "ViewerModel") -> float:
    """Return the zoom, in pixels per mm, at which the layers just fit a canvas."""
    extent = view.layers.extent
    sizes = (extent.world[1] - extent.world[0] + extent.step)[-3:]
    if len(sizes) < 3 or not np.isfinite(sizes).all() or not sizes.all():
        return 1.0
    canvas = (max(side, 1) for side in view.canvas.size)
    axes = _axes(view)
    return float(_MARGIN * min(side / sizes[axis] for side, axis in zip(canvas, axes, strict=True)))


def _in_sight(view: "ViewerModel") -> bool:
    """Return whether the cursor's place is on a canvas."""
    from napari_brats.widgets.crosshair import place_on_canvas

    if view.dims.ndisplay != 2:
        return True
    place = place_on_canvas(view)
    return all(0 <= pixel <= side for pixel, side in zip(place, view.canvas.size, strict=True))
