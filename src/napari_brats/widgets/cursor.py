"""Where the cursor is in the patient, and on what tissue."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.plugin.tags import MASK, REFERENCE, LayerTag, tag_of
from napari_brats.regions import TISSUE_TITLES, Tissue

if TYPE_CHECKING:
    from napari.components import ViewerModel


def place_text(tag: LayerTag, index: NDArray[np.float64]) -> str:
    """Return a display index as patient millimeters and as a voxel of the file.

    Returns
    -------
    str
        E.g. ``"R 12.0 A -3.0 S 44.0 mm, voxel 120 98 77"``; empty outside the volume.
    """
    rounded = np.round(index)
    if (rounded < 0).any() or (rounded >= tag.display.display_shape).any():
        return ""
    right, anterior, superior = tag.display.patient_mm(index)
    x, y, z = tag.display.file_index(rounded).astype(int)
    return f"R {right:.1f} A {anterior:.1f} S {superior:.1f} mm, voxel {x} {y} {z}"


def tissue_title(value: object) -> str:
    """Return the tissue's name of a label value; empty for background and no value."""
    if not isinstance(value, (int, np.integer)) or value == Tissue.BACKGROUND:
        return ""
    known = int(value) in set(Tissue)
    return TISSUE_TITLES[Tissue(int(value))] if known else f"label {value} is no tissue"


class CursorReadout:
    """Tells a view where the cursor is.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Its cursor is followed.
    show : callable
        Takes the text, also an empty one.
    """

    def __init__(self, viewer: "ViewerModel", show: Callable[[str], None]) -> None:
        self._viewer = viewer
        self._show = show
        viewer.cursor.events.position.connect(self.update)

    def close(self) -> None:
        """Stop following."""
        self._viewer.cursor.events.position.disconnect(self.update)

    def update(self, event: Any = None) -> None:
        """Show the place anew."""
        self._show(self.text())

    def text(self) -> str:
        """Return place and tissue under the cursor; empty off every patient."""
        position = self._viewer.cursor.position
        for layer, tag in self._layers():
            if len(position) < layer.ndim:
                continue
            place = place_text(tag, np.asarray(layer.world_to_data(position), np.float64))
            tissue = self._tissue(position) if place else ""
            return f"{place}, {tissue}" if tissue else place
        return ""

    def _layers(self) -> Iterator[tuple[Any, LayerTag]]:
        """Yield the patients' layers, the active one first, then from the uppermost down."""
        active = self._viewer.layers.selection.active
        for layer in (active, *reversed(self._viewer.layers)):
            tag = None if layer is None else tag_of(layer.metadata)
            if tag is not None:
                yield layer, tag

    def _tissue(self, position: tuple[float, ...]) -> str:
        """Return the tissue in the uppermost visible mask, the active one first."""
        for layer, tag in self._layers():
            if tag.role in (MASK, REFERENCE) and layer.visible:
                return tissue_title(layer.get_value(position, world=True))
        return ""
