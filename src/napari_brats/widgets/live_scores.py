"""The live table's numbers: they follow a mask as it is painted, without recounting it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_brats.errors import LabelError
from napari_brats.metrics.masks import bounding_box
from napari_brats.metrics.overlap import LiveOverlap, joint_counts
from napari_brats.metrics.scores import EMPTY_RULE, RegionScore, score_regions
from napari_brats.metrics.surface import hd95
from napari_brats.regions import REGIONS, region_mask

NO_REFERENCE = "This patient has no reference: volumes only."


@dataclass(frozen=True)
class ScoreRow:
    """One line of the table.

    Parameters
    ----------
    region : str
        Key in `REGIONS`.
    dice, reference_ml : float or None
        None without a reference.
    volume_ml : float
        Of the mask.
    change : float or None
        Since the mask came: of the Dice, or of the volume in milliliters where there is no
        reference. None while it is not known.
    hd95_mm : float or None
        By the default of `HD95_RULES`; infinite where the region is in one mask only. None
        without a reference, or before it was first measured.
    fresh : bool
        Whether ``hd95_mm`` is of the mask as it is now.
    """

    region: str
    dice: float | None
    volume_ml: float
    reference_ml: float | None
    change: float | None = None
    hd95_mm: float | None = None
    fresh: bool = True


@dataclass(frozen=True)
class Measured:
    """What takes too long for the event loop.

    Parameters
    ----------
    hd95_mm : Mapping[str, float]
        Of WT, TC, ET; empty without a reference.
    first : Mapping[str, RegionScore] or None
        Scores of the mask as it came; None where that is not known.
    """

    hd95_mm: Mapping[str, float]
    first: Mapping[str, RegionScore] | None


def measure(
    mask: NDArray[np.uint8],
    reference: NDArray[np.uint8] | None,
    origin: NDArray[np.uint8] | None,
    spacing_mm: NDArray[np.floating] | tuple[float, float, float],
) -> Measured:
    """Measure distances, and the mask as it came: 0.1 to 0.5 s, for another thread.

    Parameters
    ----------
    mask, reference, origin : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes of the mask now, of the reference, and of the mask as it came.
    spacing_mm : three floats
        Voxel size along X, Y, Z.
    """
    expected = np.zeros_like(mask) if reference is None else reference
    first = None
    if origin is not None:
        voxel_ml = float(np.prod(spacing_mm)) / 1000
        first = score_regions(joint_counts(origin, expected), voxel_ml)
    if reference is None:
        return Measured({}, first)
    box = bounding_box((mask != 0) | (expected != 0))
    return Measured(
        {
            name: hd95(region_mask(mask[box], name), region_mask(expected[box], name), spacing_mm)
            for name in REGIONS
        },
        first,
    )


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

    Attributes
    ----------
    measured : Measured or None
        The last that came from `measure`; `fresh` says whether it is of the mask as it is now.
    """

    def __init__(
        self, mask: NDArray[Any], reference: NDArray[np.uint8] | None, voxel_ml: float
    ) -> None:
        fits = reference is not None and reference.shape == mask.shape
        self._reference = reference if fits else None
        self._voxel_ml = voxel_ml
        self._overlap: LiveOverlap | None = None
        self.measured: Measured | None = None
        self.fresh = False
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
                change=self._change(name, score),
                hd95_mm=None if self.measured is None else self.measured.hd95_mm.get(name),
                fresh=self.fresh,
            )
            for name, score in score_regions(self._overlap.joint, self._voxel_ml).items()
        ]

    def _change(self, region: str, score: RegionScore) -> float | None:
        """Return how much better the region is than when the mask came."""
        if self.measured is None or self.measured.first is None:
            return None
        first = self.measured.first[region]
        if self._reference is None:
            return score.volume_ml - first.volume_ml
        return score.dice - first.dice

    @property
    def note(self) -> str:
        """What to read below the table: an error, or the rule for empty regions."""
        if self.error:
            return self.error
        return EMPTY_RULE if self._reference is not None else NO_REFERENCE
