"""How two masks overlap: one 8 x 8 histogram holds every count, for every region.

Entry ``joint[p, r]`` counts the voxels that the prediction calls tissue ``p`` and the
reference tissue ``r``. All scores follow from these 64 numbers, and a brush stroke changes
only a few of them: that is what makes a live table possible (`LiveOverlap`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_brats.errors import CaseError, LabelError
from napari_brats.regions import Tissue, region_tissues

TISSUES = len(Tissue)


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of one region: a prediction against a reference.

    Where a region is empty the usual quotients have no value; `EMPTY_RULE` in `scores`
    says what stands there instead.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Voxels in both, in the prediction only, in the reference only, in neither.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def predicted(self) -> int:
        """Voxels in the prediction."""
        return self.tp + self.fp

    @property
    def expected(self) -> int:
        """Voxels in the reference."""
        return self.tp + self.fn

    @property
    def dice(self) -> float:
        """2 tp / (2 tp + fp + fn) (Dice 1945, doi:10.2307/1932409)."""
        return self._share(2 * self.tp, self.predicted + self.expected)

    @property
    def jaccard(self) -> float:
        """Return tp / (tp + fp + fn) (Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x)."""
        return self._share(self.tp, self.tp + self.fp + self.fn)

    @property
    def sensitivity(self) -> float:
        """Share of the reference that was found, tp / (tp + fn)."""
        return self._share(self.tp, self.expected)

    @property
    def precision(self) -> float:
        """Share of the prediction that is right, tp / (tp + fp)."""
        return self._share(self.tp, self.predicted)

    @property
    def specificity(self) -> float:
        """Share of the outside left alone, tn / (tn + fp)."""
        outside = self.tn + self.fp
        return self.tn / outside if outside else 1.0

    def _share(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        return float(self.predicted == self.expected)


def joint_counts(
    prediction: NDArray[np.integer], reference: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Count how often each pair of tissues meets.

    Parameters
    ----------
    prediction, reference : NDArray of integers, same shape
        `Tissue` codes.

    Returns
    -------
    NDArray[np.int64], shape (8, 8)
        ``[predicted tissue, reference tissue]``; sums to the number of voxels.

    Raises
    ------
    CaseError
        If the shapes differ.
    LabelError
        If a value is not a `Tissue` code.
    """
    require_same_shape(prediction, reference)
    # One byte a pair keeps the pass over a full-size case in the cache's reach.
    pairs = _codes(prediction, "the prediction") * np.uint8(TISSUES)
    pairs += _codes(reference, "the reference")
    counts = np.bincount(pairs.ravel(order="K"), minlength=TISSUES**2)
    return counts.astype(np.int64, copy=False).reshape(TISSUES, TISSUES)


def require_same_shape(prediction: NDArray[np.generic], reference: NDArray[np.generic]) -> None:
    """Raise a `CaseError` that names both shapes if they differ."""
    if prediction.shape != reference.shape:
        raise CaseError(
            f"the prediction has shape {prediction.shape} and the reference {reference.shape}; "
            "compare masks on one grid"
        )


def tissue_counts(tissues: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count the voxels of each tissue in one mask.

    Parameters
    ----------
    tissues : NDArray of integers, any shape
        `Tissue` codes.

    Returns
    -------
    NDArray[np.int64], shape (8,)
    """
    codes = _codes(tissues, "the mask")
    return np.bincount(codes.ravel(order="K"), minlength=TISSUES).astype(np.int64, copy=False)


def region_overlap(joint: NDArray[np.int64], region: str) -> Overlap:
    """Sum a joint histogram to the counts of one region.

    Parameters
    ----------
    joint : NDArray[np.int64], shape (8, 8)
        From `joint_counts`.
    region : str
        Key in `REGIONS` or `SUBREGIONS`.

    Returns
    -------
    Overlap
    """
    inside = np.zeros(TISSUES, np.int64)
    inside[[int(tissue) for tissue in region_tissues(region)]] = 1
    outside = 1 - inside
    return Overlap(
        tp=int(inside @ joint @ inside),
        fp=int(inside @ joint @ outside),
        fn=int(outside @ joint @ inside),
        tn=int(outside @ joint @ outside),
    )


class LiveOverlap:
    """A joint histogram that follows a mask while somebody paints it.

    Parameters
    ----------
    prediction, reference : NDArray of integers, same shape
        `Tissue` codes. Without a reference everything is compared with background, so that
        volumes still follow the mask.

    Attributes
    ----------
    joint : NDArray[np.int64], shape (8, 8)
        Always what `joint_counts` would give now.
    """

    joint: NDArray[np.int64]

    def __init__(
        self, prediction: NDArray[np.integer], reference: NDArray[np.integer] | None = None
    ) -> None:
        self.recount(prediction, reference)

    def recount(
        self, prediction: NDArray[np.integer], reference: NDArray[np.integer] | None = None
    ) -> None:
        """Start over from two whole masks (another layer, another reference).

        Parameters
        ----------
        prediction, reference : NDArray of integers, same shape
            `Tissue` codes.
        """
        if reference is None:
            self.joint = np.zeros((TISSUES, TISSUES), np.int64)
            self.joint[:, Tissue.BACKGROUND] = tissue_counts(prediction)
        else:
            self.joint = joint_counts(prediction, reference)

    def change(self, old: ArrayLike, new: ArrayLike, reference_values: ArrayLike = 0) -> None:
        """Move the changed voxels from their old tissue to the new one.

        The cost grows with the stroke, not with the volume. An undo is the same call with
        ``old`` and ``new`` exchanged.

        Parameters
        ----------
        old, new : array of integers, shape (N,), or one integer for all
            `Tissue` codes of the changed voxels before and after. A voxel that was painted
            twice counts twice, in the order of the calls.
        reference_values : array of integers, shape (N,), or one integer for all
            The reference's `Tissue` codes at the same voxels.

        Raises
        ------
        LabelError
            If a value is not a `Tissue` code; the counts stay as they were.
        """
        before, after, expected = np.broadcast_arrays(
            _codes(np.asarray(old), "the mask"),
            _codes(np.asarray(new), "the mask"),
            _codes(np.asarray(reference_values), "the reference"),
        )
        pairs = TISSUES**2
        gone = np.bincount((before * np.uint8(TISSUES) + expected).ravel(), minlength=pairs)
        come = np.bincount((after * np.uint8(TISSUES) + expected).ravel(), minlength=pairs)
        self.joint = self.joint + (come - gone).reshape(TISSUES, TISSUES)


def _codes(values: NDArray[np.generic], what: str) -> NDArray[np.uint8]:
    signed = values.dtype.kind != "u"
    if values.size and (values.max() >= TISSUES or (signed and values.min() < 0)):
        found = values.max() if values.max() >= TISSUES else values.min()
        raise LabelError(
            f"{what} holds code {found}, but tissues are 0 to {TISSUES - 1}; "
            "use the labels of the tissue list"
        )
    return values.astype(np.uint8, copy=False)
