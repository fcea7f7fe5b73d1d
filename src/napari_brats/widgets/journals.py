"""Every edit of a mask goes to its journal, in the background, until the mask is saved."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.journal import Replay, Subject, read_journal
from napari_brats.editing.places import journal_folders
from napari_brats.editing.recorder import Recorder
from napari_brats.editing.scribe import DELAY_S, Scribe
from napari_brats.errors import BratsError
from napari_brats.plugin.tags import LayerTag
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.mask_book import MaskBook, mask_tag

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_brats.widgets.edits import LayerEdits

_left: "WeakKeyDictionary[Labels, Path]" = WeakKeyDictionary()
"""Journals of unsaved masks that wait for the next follower: of another dock, or just added."""


class Journals:
    """Keeps a journal for each mask of a book.

    Parameters
    ----------
    book : MaskBook
        Knows the masks, and what of them is saved.
    delay_s : float
        How long edits are gathered before they are written.

    Attributes
    ----------
    on_left : list of callable
        Called when a mask was removed and its unsaved edits are in a journal only.
    """

    def __init__(self, book: MaskBook, delay_s: float = DELAY_S) -> None:
        self._book = book
        self._scribe = Scribe(delay_s)
        self._told = ""
        self._recorders: dict[Any, Recorder] = {}
        self._given_up: frozenset[tuple[Any, int]] = frozenset()
        self._gone: tuple[Any, Path] | None = None
        self.on_left: list[Callable[[], None]] = []
        for layer in book.masks():
            self._follow(layer)
        book.on_taken.append(self._follow)
        book.on_gone.append(self._leave)
        book.on_saved.append(self._saved)

    def close(self) -> None:
        """Write what is due and stop; unsaved edits stay on disk, unless they were given up."""
        for layer in list(self._recorders):
            edits = self._book.edits(layer)
            edits.settle()
            path = self._stop(layer, edits)
            if path is not None:
                _left[layer] = path
        self._scribe.close()

    def paths(self) -> set[Path]:
        """Return the journals that are being written here."""
        found = {recorder.path for recorder in self._recorders.values()}
        return {path for path in found if path is not None}

    def give_up(self) -> None:
        """Delete the journals of the masks as they are now, when these go; not of later strokes."""
        self._given_up = self._book.unsaved_voxels()

    def expect(self, layer: Any, path: Path) -> None:
        """Let a mask that is about to be added go on with the journal it was made from."""
        _left[layer] = path

    def recover(self, layer: Any, path: Path, replay: Replay) -> None:
        """Make a journal's edits on the mask they belong to, in one step of its history."""
        self._resume(layer, path, replay)
        changed = np.nonzero(layer.data != replay.voxels)
        layer.data_setitem(changed, replay.voxels[changed].astype(layer.data.dtype))

    def _follow(self, layer: Any) -> None:
        edits = self._book.edits(layer)
        subject = subject_of(mask_tag(layer))
        # What is nowhere on disk is all news.
        base = np.zeros(layer.data.shape, np.uint8) if edits.dirty else layer.data
        recorder = Recorder(_reader(layer), subject, journal_folders(subject), base)
        self._recorders[layer] = recorder
        left = _left.pop(layer, None)
        if self._gone is not None and layer.data is self._gone[0]:
            left = self._gone[1]
        if left is not None:
            try:
                self._resume(layer, left, read_journal(left))
            except BratsError as error:
                notify_error(error)
        edits.on_touch.append(partial(self._touched, recorder))
        if edits.dirty:
            self._scribe.touch(recorder)

    def _resume(self, layer: Any, path: Path, replay: Replay) -> None:
        try:
            self._recorders[layer].resume(path, replay)
        except BratsError as error:  # its edits go to a journal elsewhere
            notify_error(error)

    def _touched(self, recorder: Recorder) -> None:
        self._scribe.touch(recorder)
        if self._scribe.trouble != self._told:
            self._told = self._scribe.trouble
            if self._told:
                notify_error(BratsError(self._told))

    def _saved(self, layer: Any, voxels: NDArray[Any]) -> None:
        subject = subject_of(mask_tag(layer))
        recorder = self._recorders[layer]
        recorder.rebase(voxels, subject, journal_folders(subject))
        self._scribe.touch(recorder)

    def _leave(self, layer: Any, edits: "LayerEdits") -> None:
        path = self._stop(layer, edits)
        self._gone = None
        if path is not None:
            # napari converts a layer by taking it away and adding another with its voxels.
            self._gone = layer.data, path
            for listener in self.on_left:
                listener()

    def _stop(self, layer: Any, edits: "LayerEdits") -> Path | None:
        """Stop following; returns the journal if it holds edits that somebody may want."""
        recorder = self._recorders.pop(layer)
        self._scribe.forget(recorder)
        if not edits.dirty or (layer, edits.voxels) in self._given_up:
            recorder.drop()
            return None
        try:
            recorder.record()
        except BratsError as error:
            notify_error(error)
        return recorder.leave()


def subject_of(tag: LayerTag) -> Subject:
    """Return whose edits the journal of a mask holds."""
    return Subject(
        case_id=tag.case_id,
        title=tag.title,
        image=str(tag.sources[0]),
        mask="" if tag.path is None else str(tag.path),
        directions=tag.display.directions,
        affine=tuple(float(number) for number in tag.display.affine.ravel()),
    )


def _reader(layer: Any) -> Callable[[], NDArray[Any] | None]:
    """Return what reads a layer's voxels without keeping the layer alive."""
    held = ref(layer)

    def read() -> NDArray[Any] | None:
        layer = held()
        return None if layer is None else np.asarray(layer.data)

    return read
