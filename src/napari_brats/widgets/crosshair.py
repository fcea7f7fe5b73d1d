"""Two lines on a canvas that meet, but for a gap, where the linked cursor is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

_GAP = 12.0
_ENDS = ("up", "down", "left", "right")

Line = tuple[tuple[float, float], tuple[float, float]]


class Crosshair:
    """Draws a place while its viewer shows a patient in 2D.

    Each line is one of napari's zoom boxes without width: overlays that are drawn in pixels
    and never pass for data.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Whose canvas.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        from napari.components.overlays import ZoomOverlay

        self._viewer = viewer
        self._point: Sequence[float] = tuple(viewer.dims.point)
        self._overlays = {end: ZoomOverlay(box=False, opacity=0.6) for end in _ENDS}
        for end, overlay in self._overlays.items():
            viewer.canvas.overlays[f"brats_cross_{end}"] = overlay
        self._signals = (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.scene.camera.events.center,
            viewer.scene.camera.events.zoom,
            viewer.scene.camera.events.orientation,
            viewer.canvas.events.size,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
        )
        for signal in self._signals:
            signal.connect(self.update)
        self.update()

    def close(self) -> None:
        """Take the lines away."""
        for signal in self._signals:
            signal.disconnect(self.update)
        for end in _ENDS:
            self._viewer.canvas.overlays.pop(f"brats_cross_{end}", None)

    def show(self, point: "Sequence[float]") -> None:
        """Draw another place, in world coordinates."""
        self._point = tuple(point)
        self.update()

    def update(self, event: Any = None) -> None:
        """Draw the lines anew."""
        shown = self._viewer.dims.ndisplay == 2 and bool(self._viewer.layers)
        place = place_on_canvas(self._viewer, self._point)
        lines = cross_lines(place, self._viewer.canvas.size)
        for end, overlay in self._overlays.items():
            overlay.visible = shown and end in lines
            if overlay.visible:
                overlay.position = lines[end]


def place_on_canvas(viewer: "ViewerModel", point: "Sequence[float]") -> tuple[float, float]:
    """Return the pixel (row, column) at which a viewer draws a place in 2D.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer.
    point : sequence of float
        World coordinates along the viewer's last axes.
    """
    camera, dims = viewer.scene.camera, viewer.dims
    signs = [-1 if str(way) in ("up", "left") else 1 for way in camera.orientation2d]
    row, column = (
        size / 2 + sign * (point[axis - dims.ndim] - middle) * camera.zoom
        for size, sign, axis, middle in zip(
            viewer.canvas.size, signs, dims.displayed[-2:], camera.center[-2:], strict=True
        )
    )
    return row, column


def cross_lines(place: tuple[float, float], size: tuple[int, int]) -> dict[str, Line]:
    """Return the lines, as (row, column) of both ends, that lie on a canvas of this size."""
    (row, column), (height, width) = place, size
    lines: dict[str, Line] = {}
    if 0 <= column <= width:
        lines["up"] = ((0, column), (min(row - _GAP, height), column))
        lines["down"] = ((max(row + _GAP, 0), column), (height, column))
    if 0 <= row <= height:
        lines["left"] = ((row, 0), (row, min(column - _GAP, width)))
        lines["right"] = ((row, max(column + _GAP, 0)), (row, width))
    return {
        end: (first, last)
        for end, (first, last) in lines.items()
        if first[0] <= last[0] and first[1] <= last[1]
    }
