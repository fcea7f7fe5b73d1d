"""Letters at the edges of the canvas: which way the patient lies."""

from typing import TYPE_CHECKING, Any

from napari_brats.plugin.display import edge_letters
from napari_brats.plugin.tags import tag_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_POSITIONS = {
    "top": "top_center",
    "bottom": "bottom_center",
    "left": "middle_left",
    "right": "middle_right",
}
_FONT_SIZE = 14
_ALL_LETTERS = "RLAPSI"


class OrientationLetters:
    """Keeps R/L, A/P and S/I right when axes roll, the camera turns or layers change.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Letters appear while it holds a patient of ours in 2D.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        from napari.components.overlays import TextOverlay

        self._viewer = viewer
        # Drawing text for the first time takes napari 0.1 s (measured). Unseen letters take
        # it while the widget opens, not while the first patient does.
        self._overlays = {
            edge: TextOverlay(
                text=_ALL_LETTERS,
                position=position,
                font_size=_FONT_SIZE,
                gridded=True,
                visible=True,
                opacity=0,
            )
            for edge, position in _POSITIONS.items()
        }
        for edge, overlay in self._overlays.items():
            viewer.canvas.overlays[f"brats_{edge}"] = overlay
        for signal in self._signals():
            signal.connect(self.update)
        if viewer.layers:
            self.update()

    def close(self) -> None:
        """Take the letters away."""
        for signal in self._signals():
            signal.disconnect(self.update)
        for edge in _POSITIONS:
            self._viewer.canvas.overlays.pop(f"brats_{edge}", None)

    def letters(self) -> dict[str, str]:
        """Return the letter at each edge; empty where there is nothing to say."""
        directions = self._directions()
        dims = self._viewer.dims
        if directions is None or dims.ndisplay != 2:
            return {}
        rows, columns = (axis - (dims.ndim - len(directions)) for axis in dims.displayed)
        if min(rows, columns) < 0:
            return {}
        vertical, horizontal = self._viewer.scene.camera.orientation2d
        return edge_letters(
            directions, rows, columns, up=vertical == "up", left=horizontal == "left"
        )

    def update(self, event: Any = None) -> None:
        """Write the letters anew."""
        letters = self.letters()
        for edge, overlay in self._overlays.items():
            overlay.text = letters.get(edge, "")
            overlay.opacity = 1 if letters else 0

    def _directions(self) -> str | None:
        """Return where the display axes point; None where patients disagree, or without one."""
        tags = [tag_of(layer.metadata) for layer in self._viewer.layers if layer.visible]
        found = {tag.display.directions for tag in tags if tag is not None}
        return found.pop() if len(found) == 1 else None

    def _signals(self) -> tuple[Any, ...]:
        viewer = self._viewer
        return (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.dims.events.ndim,
            viewer.scene.camera.events.orientation,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
        )
