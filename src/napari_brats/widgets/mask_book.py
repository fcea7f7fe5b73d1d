"""The masks in a viewer: which there are, whose they are, and which are not saved."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_brats.plugin.layers import adopted_tag, tissue_appearance
from napari_brats.plugin.masks import stamp_of
from napari_brats.plugin.tags import MASK, REFERENCE, LayerTag, tag_of
from napari_brats.widgets.edits import LayerEdits, checksum

if TYPE_CHECKING:
    from napari.components import ViewerModel

ADOPTED = "by hand"
"""Title of masks whose layers a person or another plugin added."""

NEVER_SAVED = -1
"""Stands for the checksum of what was never saved; no voxels have it."""

MOVED = (
    "{name!r} was moved or stretched against its patient: strokes come to lie elsewhere than they "
    "are seen, and are saved there. Hold Alt and click napari's Transform button to put it back."
)
_PLACING = ("affine", "scale", "translate", "rotate", "shear")

_left: "WeakKeyDictionary[Labels, int]" = WeakKeyDictionary()
"""What was saved of each mask when its book was closed, for the next book of the window."""


class MaskBook:
    """Follows every mask of a patient in a viewer.

    A labels layer that a person adds on a patient's grid is adopted: it gets the tissues'
    colors and names and can be scored and saved.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Its layers are watched.
    defer : callable
        Runs a function soon, after the event at hand.

    Attributes
    ----------
    on_change : list of callable
        Called when masks come or go, or flip between saved and unsaved.
    on_taken, on_gone : list of callable
        Get a mask that came; get one that was removed, with its edits.
    on_saved : list of callable
        Get a mask that was saved, and the voxels that were written.
    on_unseen : list of callable
        Get a hidden mask of which undo or redo changed voxels.
    """

    def __init__(self, viewer: "ViewerModel", defer: Callable[[Callable[[], None]], None]) -> None:
        self._viewer = viewer
        self._defer = defer
        self._edits: dict[Any, LayerEdits] = {}
        self._gone: tuple[Any, int] | None = None
        self._moved: WeakSet[Labels] = WeakSet()
        self.on_change: list[Callable[[], None]] = []
        self.on_taken: list[Callable[[Any], None]] = []
        self.on_gone: list[Callable[[Any, LayerEdits], None]] = []
        self.on_saved: list[Callable[[Any, NDArray[Any]], None]] = []
        self.on_unseen: list[Callable[[Any], None]] = []
        for layer in viewer.layers:
            self._take(layer)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Stop following."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for layer, edits in self._edits.items():
            edits.close()
            self._watch(layer, on=False)
            _left[layer] = edits.saved
        self._edits.clear()

    def masks(self) -> list[Any]:
        """Return the masks from the lowest layer to the uppermost."""
        return [layer for layer in self._viewer.layers if layer in self._edits]

    def edits(self, layer: Any) -> LayerEdits:
        """Return the edits of a mask."""
        return self._edits[layer]

    def unsaved(self) -> list[Any]:
        """Return the masks with unsaved edits."""
        for edits in self._edits.values():
            edits.settle()
        return [layer for layer in self.masks() if self._edits[layer].dirty]

    def unsaved_voxels(self) -> frozenset[tuple[Any, int]]:
        """Return the masks with unsaved edits and their checksums: one more stroke changes it."""
        return frozenset((layer, checksum(layer.data)) for layer in self.unsaved())

    def reference_of(self, layer: Any) -> Any:
        """Return the reference layer on a mask's own grid, or None."""
        tag = mask_tag(layer)
        for other in self._viewer.layers:
            found = tag_of(other.metadata)
            if (
                found is not None
                and found.role == REFERENCE
                and found.sources == tag.sources
                and found.display.directions == tag.display.directions
                and other.data.shape == layer.data.shape
            ):
                return other
        return None

    def expect_unsaved(self, layer: Any) -> None:
        """Let a mask that is about to be added count as unsaved."""
        _left[layer] = NEVER_SAVED

    def saved(self, layer: Any, path: Path, voxels: NDArray[Any]) -> None:
        """Note that a mask was written, and with which voxels."""
        tag = replace(mask_tag(layer), path=path, stamp=stamp_of(path))
        layer.metadata = {**layer.metadata, **tag.metadata()}
        self._edits[layer].mark_saved(checksum(voxels))
        for listener in self.on_saved:
            listener(layer, voxels)
        self._tell()

    def _on_inserted(self, event: Any) -> None:
        if self._take(event.value):
            for listener in self.on_taken:
                listener(event.value)
            self._tell()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        edits = self._edits.pop(layer, None)
        if edits is not None:
            edits.settle()
            edits.close()
            self._watch(layer, on=False)
            # napari converts a layer by taking it away and adding another with its voxels.
            self._gone = (layer.data, edits.saved) if edits.dirty else None
            for listener in self.on_gone:
                listener(layer, edits)
            self._tell()

    def _unseen(self, layer: Any) -> None:
        for listener in self.on_unseen:
            listener(layer)

    def _on_renamed(self, event: Any) -> None:
        self._tell()

    def _on_moved(self, event: Any) -> None:
        """Say once that a mask does not lie on its patient any more."""
        from napari.utils.notifications import show_warning

        layer = event.source
        if _in_place(layer):
            self._moved.discard(layer)
        elif layer not in self._moved:
            self._moved.add(layer)
            show_warning(MOVED.format(name=layer.name))

    def _take(self, layer: Any) -> bool:
        if not isinstance(layer, Labels):
            return False
        tag = tag_of(layer.metadata)
        if tag is None and not self._adopt(layer):
            return False
        if tag is None and layer.data.any():
            _left[layer] = NEVER_SAVED
        if tag is not None and tag.role != MASK:
            return False
        self._part_from_twin(layer)
        others = list(self._edits.values())
        self._edits[layer] = edits = LayerEdits(layer, self._defer)
        if layer in _left:
            edits.mark_saved(_left.pop(layer))
        elif layer._undo_history:  # painted on before anybody followed it
            edits.mark_saved(NEVER_SAVED)
        for other in others:
            other.settle()
            if other.dirty and other.voxels == edits.voxels:
                edits.mark_saved(other.saved)  # a copy of unsaved edits is no safer than they are
        if self._gone is not None and layer.data is self._gone[0]:
            edits.mark_saved(self._gone[1])
        edits.on_dirty.append(self._tell)
        edits.on_unseen.append(partial(self._unseen, layer))
        self._watch(layer, on=True)
        return True

    def _watch(self, layer: Any, *, on: bool) -> None:
        """Follow a mask's name and place, or no longer."""
        slots = {"name": self._on_renamed, **dict.fromkeys(_PLACING, self._on_moved)}
        for name, slot in slots.items():
            signal = getattr(layer.events, name)
            (signal.connect if on else signal.disconnect)(slot)

    def _adopt(self, layer: Any) -> bool:
        """Tag a labels layer that lies on a patient's grid: of the active layer, else uppermost."""
        for other in (self._viewer.layers.selection.active, *reversed(self._viewer.layers)):
            tag = None if other is None else tag_of(other.metadata)
            if tag is not None and same_grid(layer, other):
                layer.metadata = {**layer.metadata, **adopted_tag(tag, ADOPTED).metadata()}
                for name, value in tissue_appearance().items():
                    setattr(layer, name, value)
                return True
        return False

    def _part_from_twin(self, layer: Any) -> None:
        """Let a duplicated layer forget the file of the original."""
        tag = mask_tag(layer)
        if tag.path is not None and any(mask_tag(one).path == tag.path for one in self._edits):
            layer.metadata = {**layer.metadata, **replace(tag, path=None).metadata()}

    def _tell(self) -> None:
        for listener in self.on_change:
            listener()


def mask_tag(layer: Any) -> LayerTag:
    """Return the tag of a layer that is known to be ours."""
    tag = tag_of(layer.metadata)
    assert tag is not None
    return tag


def _in_place(layer: Any) -> bool:
    """Return whether a mask's voxels are shown where they lie in the patient."""
    display = mask_tag(layer).display
    first, last = np.zeros(3), np.array(display.display_shape) - 1.0
    return all(
        np.allclose(
            layer.data_to_world(corner), display.translate + corner * display.scale, atol=1e-3
        )
        for corner in (first, last)
    )


def same_grid(layer: Any, other: Any) -> bool:
    """Return whether two layers have the same voxels in the same places, not flipped or shifted."""
    if layer.data.shape != other.data.shape:
        return False
    last = np.array(layer.data.shape) - 1
    return all(
        np.allclose(layer.data_to_world(corner), other.data_to_world(corner), atol=1e-3)
        for corner in (np.zeros_like(last), last)
    )
