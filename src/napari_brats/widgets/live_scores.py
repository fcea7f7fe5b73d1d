"""The live table's numbers: they follow a mask as it is painted, without recounting it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_brats.errors import LabelError
from napari_brats.metrics.overlap import LiveOverlap
from napari_brats.metrics.scores import EMPTY_RULE, score_regions

NO_REFERENCE = "This patient has no reference: volumes only."


@dataclass(frozen=True)
class ScoreRow:
    """One line of the table; ``dice`` and ``reference_ml`` are None without a reference."""

    region: str
    dice: float | None
    volume_ml: float
    reference_ml: float | None


def changes_of(
    item: Iterable[Any], reference: NDArray[np.uint8] | None
) -> list[tuple[ArrayLike, ArrayLike, ArrayLike]]:
    """Read what one history item of a labels layer changed.

    Parameters
    ----------
    item : iterable of history atoms
        The value of napari's ``paint`` event: edits with ``slice_key``, ``mask``,
        ``old_values`` and ``new_value`` (brush, fill, polygon), or tuples
        (indices, old values, new values) of `data_setitem`.
    reference : NDArray[np.uint8] or None
        Reference of the same shape as the layer.

    Returns
    -------
    list of (old, new, reference values)
        In the order in which they happened.
    """
    changes: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = []
    for atom in item:
        expected: ArrayLike = 0
        if hasattr(atom, "slice_key"):
            if reference is not None:
                box = reference[atom.slice_key]
                expected = box if atom.mask is None else box[atom.mask]
            changes.append((atom.old_values, atom.new_value, expected))
        else:
            indices, old, new = atom
            if reference is not None:
                expected = reference[indices]
            changes.append((old, new, expected))
    return changes


class LiveScores:
    """Scores of one mask that follow its edits.

    Parameters
    ----------
    mask : NDArray of integers
        The labels layer's own array, `Tissue` codes; never copied.
    reference : NDArray[np.uint8] or None
        On the same grid; one of another shape counts as none.
    voxel_ml : float
        Volume of a voxel in milliliters.
    """

    def __init__(
        self, mask: NDArray[Any], reference: NDArray[np.uint8] | None, voxel_ml: float
    ) -> None:
        fits = reference is not None and reference.shape == mask.shape
        self._reference = reference if fits else None
        self._voxel_ml = voxel_ml
        self._overlap: LiveOverlap | None = None
        self.error = ""
        self.recount(mask)

    def recount(self, mask: NDArray[Any]) -> None:
        """Count the whole mask anew, after changes whose extent is unknown."""
        try:
            if self._overlap is None:
                self._overlap = LiveOverlap(mask, self._reference)
            else:
                self._overlap.recount(mask, self._reference)
            self.error = ""
        except LabelError as error:
            self._overlap = None
            self.error = str(error)

    def paint(self, item: Iterable[Any], mask: NDArray[Any]) -> None:
        """Follow one stroke, fill or polygon at the cost of its own voxels.

        Parameters
        ----------
        item : iterable of history atoms
            As in `changes_of`.
        mask : NDArray of integers
            The array after the edit, for a recount where the edit cannot be followed.
        """
        if self._overlap is None:
            self.recount(mask)
            return
        try:
            for old, new, expected in changes_of(item, self._reference):
                self._overlap.change(old, new, expected)
        except LabelError as error:
            self._overlap = None
            self.error = str(error)

    def rows(self) -> list[ScoreRow]:
        """Return WT, TC and ET; nothing while the mask holds a label that is no tissue."""
        if self._overlap is None:
            return []
        scored = self._reference is not None
        return [
            ScoreRow(
                region=name,
                dice=score.dice if scored else None,
                volume_ml=score.volume_ml,
                reference_ml=score.reference_ml if scored else None,
            )
            for name, score in score_regions(self._overlap.joint, self._voxel_ml).items()
        ]

    @property
    def note(self) -> str:
        """What to read below the table: an error, or the rule for empty regions."""
        if self.error:
            return self.error
        return EMPTY_RULE if self._reference is not None else NO_REFERENCE
