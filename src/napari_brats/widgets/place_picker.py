"""Let the next click on the image be a place instead of a stroke."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel

Voxel = tuple[int, int, int]


class PlacePicker:
    """Waits for a click; a drag still moves the view.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        What is clicked on.
    on_place : callable
        Takes the voxel, in the mask's own axes; not called for clicks beside the mask.
    """

    def __init__(self, viewer: "ViewerModel", on_place: Callable[[Voxel], None]) -> None:
        self._viewer = viewer
        self._on_place = on_place
        self._mask: Any = None
        self._mode = ""

    def start(self, mask: Any) -> None:
        """Wait; the mask's brush rests meanwhile."""
        self.stop()
        self._mask, self._mode = mask, str(mask.mode)
        mask.mode = "pan_zoom"
        self._viewer.mouse_drag_callbacks.append(self._on_drag)

    def stop(self) -> None:
        """Wait no longer."""
        if self._mask is None:
            return
        self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        # Whoever took up the brush meanwhile keeps it.
        if str(self._mask.mode) == "pan_zoom":
            self._mask.mode = self._mode
        self._mask = None

    def _on_drag(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        mask, moved = self._mask, False
        yield
        while event.type == "mouse_move":
            moved = True
            yield
        if moved or mask is None or self._viewer.dims.ndisplay != 2:
            return
        place = np.round(mask.world_to_data(event.position)).astype(int)
        if (place >= 0).all() and (place < mask.data.shape).all():
            x, y, z = place.tolist()
            self.stop()
            self._on_place((x, y, z))
