"""Bring one place of the patient to the middle of every canvas of a window."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel

Center = Callable[[tuple[float, ...]], None]

_linked: "WeakKeyDictionary[ViewerModel, Center]" = WeakKeyDictionary()
"""What centers all canvases of a window, while it has several."""


def show_place(viewer: "ViewerModel", point_mm: Sequence[float]) -> None:
    """Go to a place: its slice in every view, and the place in the middle of each canvas.

    The main canvas and, while they are open, the linked views beside it move; zoom and layers
    stay. The linked cursor is there afterwards. In 3D the camera turns about the place.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The window's viewer, as a dock gets it.
    point_mm : sequence of 3 float
        Millimeters along the display axes, as `layer.data_to_world(index)` gives them for a
        layer of ours; not the patient's R, A, S.
    """
    viewer = unwrapped(viewer)
    center = _linked.get(viewer)
    if center is not None:
        center(tuple(float(number) for number in point_mm))
        return
    point = np.array(viewer.dims.point, np.float64)
    point[-len(point_mm) :] = point_mm
    viewer.dims.point = tuple(point.tolist())
    viewer.scene.camera.center = tuple(point[list(viewer.dims.displayed)].tolist())


def center_with(viewer: "ViewerModel", center: Center | None) -> None:
    """Let a function center a viewer's canvases from now on; None for napari's own alone."""
    _linked.pop(unwrapped(viewer), None)
    if center is not None:
        _linked[unwrapped(viewer)] = center


def unwrapped(viewer: Any) -> Any:
    """Return the viewer behind the proxy that napari may hand to plugins."""
    return getattr(viewer, "__wrapped__", viewer)
