"""The place that a tool starts from: picked with a click, told in patient millimeters."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.widgets.cursor import place_text
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.place_picker import PlacePicker, Voxel
from napari_brats.widgets.tools_panel import ToolsPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel


class ToolPlace:
    """Lets a person pick a place on the chosen mask.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        What is clicked on.
    panel : ToolsPanel
        The view.
    on_picked : callable
        Called when there is another place.

    Attributes
    ----------
    seed : tuple of int or None
        The place, a voxel in the mask's own axes.
    """

    def __init__(
        self, viewer: "ViewerModel", panel: ToolsPanel, on_picked: Callable[[], None]
    ) -> None:
        self._panel = panel
        self._on_picked = on_picked
        self._picker = PlacePicker(viewer, self.set)
        self._mask: Any = None
        self.seed: Voxel | None = None
        panel.pick_toggled.connect(self._pick)

    def close(self) -> None:
        """Wait for no click any longer."""
        self._picker.stop()

    def choose(self, mask: Any) -> None:
        """Forget the place: another mask was chosen, or none."""
        self._picker.stop()
        self._mask, self.seed = mask, None
        self._panel.show_place("")

    def set(self, seed: Voxel) -> None:
        """Take a place."""
        self.seed = seed
        self._panel.show_place(self._text())
        self._on_picked()

    def _pick(self, on: bool) -> None:
        if on and self._mask is not None:
            self._picker.start(self._mask)
            self._panel.place.setText("click on the image")
        else:
            self._picker.stop()
            self._panel.show_place(self._text())

    def _text(self) -> str:
        if self._mask is None or self.seed is None:
            return ""
        return place_text(mask_tag(self._mask), np.array(self.seed, np.float64)).split(",")[0]
