"""Places where two masks differ, or where one is unsure: what is worth a person's look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.lesions import Lesions
from napari_brats.metrics.masks import bounding_box
from napari_brats.metrics.overlap import Overlap, joint_counts, region_overlap
from napari_brats.regions import REGIONS, region_mask

Voxel = tuple[int, int, int]

EXTRA, MISSING, UNSURE = "only in A", "only in B", "unsure"
LEAST_BITS = 0.3
"""Mean entropy from which a neighborhood counts as unsure."""
_NEAR_MM = 8.0
"""Edge of the neighborhood that is averaged; unsure places are at least this far apart."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place to look at.

    Parameters
    ----------
    region : str
        Key in `REGIONS`.
    kind : str
        `EXTRA` (A has the region there and B has not), `MISSING` or `UNSURE`.
    voxels : NDArray[np.int64], shape (N,)
        Flat indices into the volume, C order, ascending.
    center : tuple of int
        The voxel of the place that is nearest its center of mass.
    volume_ml : float
        Of the place.
    dice : float
        What the region's Dice of A against B becomes if A takes B in this place; of an
        unsure place 0.
    gain : float
        How much higher that is; of an unsure place its mean entropy in bits.
    """

    region: str
    kind: str
    voxels: NDArray[np.int64]
    center: Voxel
    volume_ml: float
    dice: float
    gain: float

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with the region, the kind and any voxel."""
        text = f"{self.region} {self.kind} ".encode()
        return sha256(text + self.voxels.astype("<i8").tobytes()).hexdigest()[:12]


ORDERS: Mapping[str, Callable[[Place], tuple[float, ...]]] = {
    "by Dice": lambda place: (-place.gain, -place.volume_ml),
    "by volume": lambda place: (-place.volume_ml, -place.gain),
}
"""How places can be sorted: what comes first has the smallest value."""


def disagreements(
    mask: NDArray[np.uint8], other: NDArray[np.uint8], voxel_ml: float
) -> list[Place]:
    """Find the connected parts in which two masks differ, for each region.

    Voxels that touch at a face, an edge or a corner are one place, as lesions are counted.
    What only one mask has and what only the other has are different places, also where they
    touch: a decision about one says nothing about the other.

    Parameters
    ----------
    mask, other : NDArray[np.uint8], shape (X, Y, Z)
        A and B, `Tissue` codes on one grid.
    voxel_ml : float
        Volume of a voxel in milliliters.

    Returns
    -------
    list of Place
        By effect on Dice, the largest first.

    Raises
    ------
    CaseError
        If the shapes differ.
    LabelError
        If a value is no tissue.
    """
    joint = joint_counts(mask, other)
    found: list[Place] = []
    for region in REGIONS:
        overlap = region_overlap(joint, region)
        mine, theirs = region_mask(mask, region), region_mask(other, region)
        for kind, where in ((EXTRA, mine & ~theirs), (MISSING, theirs & ~mine)):
            for voxels in _parts(where):
                dice = _dice_after(overlap, kind, len(voxels))
                found.append(
                    Place(
                        region,
                        kind,
                        voxels,
                        _center(voxels, mask.shape),
                        len(voxels) * voxel_ml,
                        dice,
                        dice - overlap.dice,
                    )
                )
    return sorted(found, key=ORDERS["by Dice"])


def taken(mask: NDArray[np.uint8], other: NDArray[np.uint8], place: Place) -> NDArray[np.uint8]:
    """Return A with B's tissues in a place; both (X, Y, Z) in the order they were compared in."""
    result = np.ascontiguousarray(mask).copy()
    result.flat[place.voxels] = np.ascontiguousarray(other).flat[place.voxels]
    return result


def unsure_places(
    probabilities: NDArray[np.floating],
    spacing_mm: Sequence[float],
    *,
    start: Voxel = (0, 0, 0),
    shape: Sequence[int] | None = None,
) -> list[Place]:
    """Find where a network could not decide, the most uncertain place first.

    A place is the neighborhood (about 8 mm across) of a peak of the mean binary entropy
    ``-p log2 p - (1 - p) log2 (1 - p)`` (Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x).

    Parameters
    ----------
    probabilities : NDArray, shape (3, X, Y, Z), 0 to 1
        Of WT, TC, ET, in the whole volume or a box of it.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    start : tuple of int
        Where the box begins in the whole volume.
    shape : sequence of int, optional
        Of the whole volume; by default the box is all of it.

    Returns
    -------
    list of Place
        Of kind `UNSURE`, with at least `LEAST_BITS`.
    """
    from scipy import ndimage

    whole = tuple(shape or probabilities.shape[1:])
    sizes = [max(1, 2 * int(_NEAR_MM / 2 / size) + 1) for size in spacing_mm]
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    found = []
    for region, single in zip(REGIONS, probabilities, strict=True):
        mean = ndimage.uniform_filter(entropy_bits(single), sizes, mode="constant")
        widest = ndimage.maximum_filter(mean, [2 * size - 1 for size in sizes])
        peaks = np.argwhere((mean == widest) & (mean >= LEAST_BITS))
        for peak in _apart(peaks, mean, sizes):
            box = [
                np.arange(max(0, at - size // 2), min(length, at + size // 2 + 1)) + first
                for at, size, length, first in zip(peak, sizes, single.shape, start, strict=True)
            ]
            voxels = np.ravel_multi_index(np.ix_(*box), whole).ravel()
            x, y, z = (at + first for at, first in zip(peak, start, strict=True))
            bits = float(mean[peak])
            volume = len(voxels) * voxel_ml
            found.append(Place(region, UNSURE, voxels, (x, y, z), volume, 0.0, bits))
    return sorted(found, key=lambda place: -place.gain)


def entropy_bits(probability: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the entropy of a yes-or-no probability, 0 to 1 bit, of the same shape."""
    p = np.asarray(probability, np.float32)
    bits = np.zeros(p.shape, np.float32)
    for chance in (p, 1 - p):
        some = chance > 0
        bits[some] -= chance[some] * np.log2(chance[some])
    return bits


def _apart(
    peaks: NDArray[np.int64], mean: NDArray[np.float32], sizes: Sequence[int]
) -> list[tuple[int, ...]]:
    """Keep one of several equal peaks that lie in one neighborhood."""
    kept: list[tuple[int, ...]] = []
    for peak in peaks[np.argsort(-mean[tuple(peaks.T)], kind="stable")].tolist():
        if all(
            any(abs(a - b) >= size for a, b, size in zip(peak, other, sizes, strict=True))
            for other in kept
        ):
            kept.append(tuple(peak))
    return kept


def _parts(where: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the flat indices, C order, of each part that does not touch another."""
    box = bounding_box(where)
    if not where[box].size:
        return []
    inside = np.ascontiguousarray(where[box])
    lesions = Lesions.of(inside)
    corner = [part.start for part in box]
    parts = []
    for number in lesions.numbers:
        local = np.unravel_index(
            lesions.voxels[lesions.ends[number - 1] : lesions.ends[number]], inside.shape
        )
        moved = tuple(along + first for along, first in zip(local, corner, strict=True))
        parts.append(np.sort(np.ravel_multi_index(moved, where.shape)))
    return parts


def _center(voxels: NDArray[np.int64], shape: tuple[int, ...]) -> Voxel:
    points = np.stack(np.unravel_index(voxels, shape), axis=-1)
    nearest = np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1))
    x, y, z = points[nearest].tolist()
    return x, y, z


def _dice_after(overlap: Overlap, kind: str, voxels: int) -> float:
    """Return the Dice after A took B in a place of so many voxels."""
    if kind == EXTRA:
        return replace(overlap, fp=overlap.fp - voxels, tn=overlap.tn + voxels).dice
    return replace(overlap, tp=overlap.tp + voxels, fn=overlap.fn - voxels).dice
