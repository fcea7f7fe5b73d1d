"""Binds the chosen mask to its live scores and shows them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari_brats.volumes import voxel_ml
from napari_brats.widgets.live_scores import LiveScores, ScoreRow
from napari_brats.widgets.mask_book import MaskBook, mask_tag

if TYPE_CHECKING:
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
    """

    def __init__(self, book: MaskBook, show: Show) -> None:
        self._book = book
        self._show = show
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

    def _painted(self, atoms: Any) -> None:
        if self._scores is not None and self._edits is not None:
            self._scores.paint(atoms, self._edits.layer.data)
            self._tell()

    def _replaced(self) -> None:
        if self._edits is None:
            return
        layer = self._edits.layer
        reference = None if self._reference is None else self._reference.data
        affine = mask_tag(layer).display.affine
        self._scores = LiveScores(layer.data, reference, voxel_ml(affine))
        self._tell()

    def _tell(self) -> None:
        if self._scores is not None:
            self._show(self._scores.rows(), self._scores.note)
