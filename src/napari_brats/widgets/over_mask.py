"""A labels layer that is laid over a mask to show something, and is never edited itself."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_brats.widgets.opening import build_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PLACE = ("scale", "translate", "units", "axis_labels")


class OverMask:
    """The life of such a layer: one at a time, which a person may take away.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where it is shown.
    on_gone : callable
        Called when a person takes the layer away.
    """

    def __init__(self, viewer: "ViewerModel", on_gone: Callable[[], None]) -> None:
        self._viewer, self._on_gone = viewer, on_gone
        self._layer: Any = None
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def layer(self) -> Any:
        """The layer, or None while nothing is shown."""
        return self._layer

    def close(self) -> None:
        """Take it away and let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.clear()

    def clear(self) -> None:
        """Take it away."""
        self._take_away()

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _fits(self, mask: Any) -> bool:
        """Return whether the layer can show something else about a mask.

        Taking a layer away and adding another costs napari a fifth of a second.
        """
        return self._layer is not None and self._layer.data.shape == mask.data.shape

    def _add(self, mask: Any, voxels: NDArray[Any], keywords: Mapping[str, Any]) -> None:
        """Lay a new layer over a mask; the active layer stays active."""
        self._take_away()
        place = {name: getattr(mask, name) for name in _PLACE}
        self._layer = build_layer((voxels, {**place, **keywords}, "labels"))
        self._layer.editable = False
        active = self._viewer.layers.selection.active
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection.active = active

    def _on_removed(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer:
            self.clear()
            self._on_gone()
