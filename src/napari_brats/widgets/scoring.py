"""Binds the chosen mask to its live scores and shows them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.editing.codes import as_codes
from napari_brats.volumes import voxel_ml
from napari_brats.widgets.latest import Latest
from napari_brats.widgets.live_scores import LiveScores, Measured, ScoreRow, measure
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.origins import origin_of

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

    from napari_brats.widgets.edits import LayerEdits

Show = Callable[[Sequence[ScoreRow], str], None]


class ScoreBoard:
    """Scores one mask at a time and tells a view after every change.

    Parameters
    ----------
    book : MaskBook
        Knows the masks, their edits and references.
    show : callable
        Takes the rows and the note below them.
    parent : QObject, optional
        Owner of what measures distances beside the event loop; without one there are none.
    """

    def __init__(self, book: MaskBook, show: Show, parent: "QObject | None" = None) -> None:
        self._book = book
        self._show = show
        self._latest = None if parent is None else Latest(self._measured, parent=parent)
        self._edits: LayerEdits | None = None
        self._reference: Any = None
        self._scores: LiveScores | None = None

    def choose(self, layer: Any) -> None:
        """Score another mask, or none; the same mask is bound anew."""
        self.close()
        if layer is None:
            self._show([], "")
            return
        self._edits = self._book.edits(layer)
        self._edits.on_paint.append(self._painted)
        self._edits.on_replace.append(self._replaced)
        self._reference = self._book.reference_of(layer)
        self._replaced()

    def close(self) -> None:
        """Let go of the mask."""
        if self._edits is not None:
            self._edits.on_paint.remove(self._painted)
            self._edits.on_replace.remove(self._replaced)
        self._edits = self._scores = self._reference = None
        if self._latest is not None:
            self._latest.forget()

    def _painted(self, atoms: Any) -> None:
        if self._scores is not None and self._edits is not None:
            self._scores.paint(atoms, self._edits.layer.data)
            self._changed(self._scores)

    def _replaced(self) -> None:
        if self._edits is None:
            return
        layer = self._edits.layer
        reference = None if self._reference is None else self._reference.data
        affine = mask_tag(layer).display.affine
        before, self._scores = self._scores, LiveScores(layer.data, reference, voxel_ml(affine))
        if before is not None:
            self._scores.measured = before.measured
        self._changed(self._scores)

    def _changed(self, scores: LiveScores) -> None:
        """Show the counts at once, and let the distances follow."""
        scores.fresh = False
        self._tell()
        if self._latest is not None:
            self._latest.ask(self._prepare)

    def _prepare(self) -> Callable[[], Any] | None:
        scores, edits = self._scores, self._edits
        if scores is None or edits is None or scores.error:
            return None
        # What a later stroke finds true is the next question's.
        scores.fresh = True
        layer = edits.layer
        mask, spacing = as_codes(np.array(layer.data)), np.array(layer.scale, np.float64)
        reference = None if self._reference is None else self._reference.data
        if reference is not None and reference.shape != mask.shape:
            reference = None
        return lambda: (scores, measure(mask, reference, origin_of(layer), spacing))

    def _measured(self, answer: tuple[LiveScores, Measured]) -> None:
        scores, measured = answer
        if scores is self._scores:
            scores.measured = measured
            self._tell()

    def _tell(self) -> None:
        if self._scores is not None:
            self._show(self._scores.rows(), self._scores.note)
