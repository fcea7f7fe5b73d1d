"""Follow every way a labels layer can change, and know whether it is saved.

What napari 0.9 says about a change: brush, fill, polygon and `data_setitem` send ``paint``
with the edit; assigning ``data`` sends ``data``; undo, redo and a refresh after a direct
write send only ``set_data``, as does moving to another slice. A checksum (2 ms for a
full-size case) tells those apart. A hidden layer is undone and redone without a word, so
that these two are watched themselves. Assigned data become a step that undo takes back.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Atoms = Any
"""A history item of napari's labels layer; `live_scores.changes_of` reads it."""


_STEPS = ("undo", "redo")


def checksum(data: NDArray[Any]) -> int:
    """Return a checksum of an array's voxels."""
    return crc32(np.ascontiguousarray(data).view(np.uint8).data)


class LayerEdits:
    """The edits of one labels layer, compared with the voxels it had when it was handed in.

    Parameters
    ----------
    layer : napari.layers.Labels
        Anything with ``data`` and ``events``.
    defer : callable
        Runs a function soon, after the event at hand.

    Attributes
    ----------
    voxels, saved : int
        Checksums of the voxels there are and of those that count as saved.
    on_paint : list of callable
        Get the history item of each stroke, fill or polygon.
    on_replace : list of callable
        Called after changes whose extent is unknown: recount.
    on_dirty : list of callable
        Called when `dirty` flips.
    on_touch : list of callable
        Called whenever voxels changed or are about to, also in the middle of a stroke.
    on_unseen : list of callable
        Called when undo or redo changed voxels while the layer was hidden.
    """

    def __init__(self, layer: Any, defer: Callable[[Callable[[], None]], None]) -> None:
        self.layer = layer
        self.on_paint: list[Callable[[Atoms], None]] = []
        self.on_replace: list[Callable[[], None]] = []
        self.on_dirty: list[Callable[[], None]] = []
        self.on_touch: list[Callable[[], None]] = []
        self.on_unseen: list[Callable[[], None]] = []
        self.dirty = False
        self._defer = defer
        self.voxels = self.saved = checksum(layer.data)
        self._settling = False
        self._stroking = False
        self._half_counted = False
        self._array = layer.data
        self._links = (
            (layer.events.labels_update, self._on_labels_update),
            (layer.events.paint, self._on_paint),
            (layer.events.data, self._on_data),
            (layer.events.set_data, self._on_set_data),
        )
        for signal, slot in self._links:
            signal.connect(slot)
        self._steps = watch_steps(layer, self._on_step)

    def mark_saved(self, saved_checksum: int) -> None:
        """Note which voxels are on disk; edits made since then stay unsaved."""
        self.saved = saved_checksum
        # An undo of this very turn must still be recounted.
        self.settle()
        self._set_dirty(self.voxels != saved_checksum)

    def close(self) -> None:
        """Stop listening."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._steps()

    def settle(self) -> None:
        """Look now whether the voxels changed in a way that no edit told."""
        self._settling = False
        found = checksum(self.layer.data)
        if found == self.voxels:
            return
        self.voxels = found
        # Dabs of a stroke that is still going on are counted now and told again at its end.
        self._half_counted = self._stroking
        self._replaced()
        self._set_dirty(found != self.saved)

    def _touch(self) -> None:
        for listener in self.on_touch:
            listener()

    def _replaced(self) -> None:
        self._touch()
        for listener in self.on_replace:
            listener()

    def _on_labels_update(self, event: Any) -> None:
        self._stroking = True
        self._touch()

    def _on_paint(self, event: Any) -> None:
        self._stroking = False
        self._set_dirty(True)
        if not self._half_counted:
            for listener in self.on_paint:
                listener(event.value)
        # A programmatic fill sends `paint` before it writes.
        self._defer(self._after_paint)

    def _after_paint(self) -> None:
        self._stroking = False
        self._touch()
        self.voxels = checksum(self.layer.data)
        if self._half_counted or self._settling:
            self._half_counted = False
            self._replaced()
        self._set_dirty(self.voxels != self.saved)

    def _on_data(self, event: Any) -> None:
        before, self._array = self._array, self.layer.data
        if before is not self._array:
            _note_assignment(self.layer, before)
        self.settle()

    def _on_set_data(self, event: Any) -> None:
        if not self._settling:
            self._settling = True
            self._defer(self.settle)

    def _on_step(self) -> None:
        if self.layer.visible:
            return
        before = self.voxels
        self.settle()
        if self.voxels != before:
            for listener in self.on_unseen:
                listener()

    def _set_dirty(self, dirty: bool) -> None:
        if dirty != self.dirty:
            self.dirty = dirty
            for listener in self.on_dirty:
                listener()


def _note_assignment(layer: Any, before: NDArray[Any]) -> None:
    """Make assigned data one step of a layer's history.

    napari 0.9 leaves the history alone, so that undo would write the voxels of earlier steps
    into an array that they were not made in.
    """
    after = layer.data
    if before.shape != after.shape:
        layer._reset_history()
        return
    smallest = np.min_scalar_type(max(after.shape))
    changed = tuple(along.astype(smallest) for along in np.nonzero(before != after))
    if changed[0].size:
        layer._redo_history.clear()
        layer._undo_history.append([(changed, before[changed], after[changed])])


def watch_steps(layer: Any, told: Callable[[], None]) -> Callable[[], None]:
    """Call a function after every undo and redo of a labels layer.

    Returns
    -------
    callable
        Gives the layer its own undo and redo back.
    """

    def step(name: str) -> None:
        getattr(type(layer), name)(layer)
        told()

    for name in _STEPS:
        setattr(layer, name, partial(step, name))

    def give_back() -> None:
        for name in _STEPS:
            vars(layer).pop(name, None)

    return give_back
