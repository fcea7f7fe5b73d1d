"""The patient on the desk: whose layers are shown, and what is put away for the next."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.case import Case
from napari_brats.plugin.layers import LayerData
from napari_brats.plugin.tags import IMAGE, MASK, REFERENCE, LayerTag, tag_of
from napari_brats.widgets.opening import build_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel

Files = tuple[Path, ...]


class Desk:
    """One patient at a time in a viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        May hold layers of other origin, which stay.

    Attributes
    ----------
    expecting : bool
        Whether a patient is on its way, so that what lies here may be about to go.
    whole : bool
        Whether all that lies here is of the patient at hand; between `begin` and `finish`
        layers of two patients lie side by side.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = viewer
        self._cases: dict[Files, Case] = {}
        self._filled: list[Any] = []
        self.expecting = False
        self.whole = True

    def tag(self) -> LayerTag | None:
        """Return a tag of the patient at hand: of the active layer, else of the uppermost."""
        active = self._viewer.layers.selection.active
        for layer in (active, *reversed(self._viewer.layers)):
            tag = None if layer is None else tag_of(layer.metadata)
            if tag is not None:
                return tag
        return None

    def case(self) -> Case | None:
        """Return the patient at hand if it was read here (not by File > Open)."""
        tag = self.tag()
        return None if tag is None else self._cases.get(tag.sources)

    def holds(self, sources: Files) -> bool:
        """Return whether layers of these files are in the viewer, to stay."""
        return not self.expecting and any(tag.sources == sources for _, tag in self._ours())

    def begin(self) -> None:
        """Make room for the next patient: its images will take the layers of this one.

        Adding a layer costs napari up to 100 ms and removing one a full garbage collection
        (105 ms and more, measured), so image layers stay and get new voxels. Masks go.
        """
        self.expecting, self.whole = True, False
        self._cases.clear()
        self._filled.clear()
        self._remove([layer for layer, tag in self._ours() if tag.role == MASK])

    def place(self, data: LayerData, built: Any = None) -> None:
        """Show one layer of the next patient.

        Parameters
        ----------
        data : LayerData
            The layer as a tuple.
        built : napari.layers.Layer, optional
            The same, built already.
        """
        layer = self._vacant(data)
        if layer is None:
            layer = self._viewer.add_layer(build_layer(data) if built is None else built)
        else:
            _refill(layer, data)
        self._filled.append(layer)

    def finish(self, case: Case) -> None:
        """Take away what the patient before had and this one has not."""
        self._remove([layer for layer, _ in self._ours() if layer not in self._filled])
        self._filled.clear()
        self.expecting, self.whole = False, True
        tag = self.tag()
        if tag is not None:
            self._cases = {tag.sources: case}
        self._viewer.reset_view()
        self.look_at_tumor()

    def give_up(self) -> None:
        """Expect nobody any more; if the next patient has come in part only, clear the desk."""
        self.expecting = False
        if not self.whole:
            self._remove([layer for layer, _ in self._ours()])
            self._filled.clear()
            self.whole = True

    def slots(self) -> set[tuple[str, str]]:
        """Return role and title of the layers that the next patient can take over."""
        return {(tag.role, tag.title) for _, tag in self._ours() if tag.role != MASK}

    def shows(self, images: Iterable[Path], masks: Iterable[str]) -> bool:
        """Return whether all of these image files are here, and masks of all these titles."""
        tags = [tag for _, tag in self._ours()]
        files = {tag.path for tag in tags if tag.role == IMAGE}
        titles = {tag.title for tag in tags if tag.role == MASK}
        return files.issuperset(images) and titles.issuperset(masks)

    def look_at_tumor(self) -> None:
        """Put the cursor into the middle of the axial slice with most tumor.

        The tumor is that of the uppermost mask or reference.
        """
        for layer in reversed(self._viewer.layers):
            tag = tag_of(layer.metadata)
            if tag is None or tag.role not in (MASK, REFERENCE):
                continue
            areas = np.count_nonzero(layer.data, axis=(1, 2))
            if areas.any():
                z = int(areas.argmax())
                middle = np.median(np.nonzero(layer.data[z]), axis=1)
                axes = range(self._viewer.dims.ndim - layer.ndim, self._viewer.dims.ndim)
                self._viewer.dims.set_point(axes, layer.data_to_world((z, *middle)))
                return

    def _vacant(self, data: LayerData) -> Any:
        """Return the layer of the patient before that plays the same part, or None."""
        wanted = tag_of(data[1]["metadata"])
        if wanted is None or wanted.role == MASK:
            return None
        for layer, tag in self._ours():
            same_part = (tag.role, tag.title) == (wanted.role, wanted.title)
            if same_part and layer not in self._filled:
                return layer
        return None

    def _ours(self) -> list[tuple[Any, LayerTag]]:
        found = [(layer, tag_of(layer.metadata)) for layer in self._viewer.layers]
        return [(layer, tag) for layer, tag in found if tag is not None]

    def _remove(self, layers: list[Any]) -> None:
        if not layers:
            return
        with self._viewer.layers.batched_update():
            for layer in layers:
                self._viewer.layers.remove(layer)


def _refill(layer: Any, data: LayerData) -> None:
    """Give a layer other voxels and what belongs to them; its look stays as chosen."""
    voxels, keywords, _ = data
    limits = keywords.get("contrast_limits")
    layer.metadata = keywords["metadata"]
    layer.data = voxels
    layer.name = keywords["name"]
    for name in ("scale", "translate", "axis_labels"):
        if tuple(getattr(layer, name)) != tuple(keywords[name]):
            setattr(layer, name, keywords[name])
    if limits is not None:
        layer.contrast_limits_range = limits
        layer.contrast_limits = limits
