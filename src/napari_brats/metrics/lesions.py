"""`Lesions`: a mask's separate parts, and what a lesion-wise score says of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.metrics.masks import MaskPair
from napari_brats.metrics.surface import (
    HD95_RULES,
    Surface,
    SurfaceDistances,
    distances_between,
    surface_of,
)

MATCHED, MISSED, FALSE, IGNORED = "matched", "missed", "false positive", "ignored"
TOUCHING = np.ones((3, 3, 3), np.bool_)
"""26-connectivity: voxels that share a face, an edge or a corner are one lesion."""


@dataclass(frozen=True)
class Lesion:
    """One row of a lesion-wise score.

    Parameters
    ----------
    status : str
        ``"matched"``, ``"missed"``, ``"false positive"``, or ``"ignored"``: too small for
        the rule to count.
    center : tuple of int
        (x, y, z) voxel of the lesion that is nearest its center of mass, so that a click
        on the row leads into the lesion.
    volume_ml : float
        Of the reference's lesion; of the predicted one for a false positive.
    dice, hd95_mm, nsd : float
        Of the lesion and what was matched with it; the penalty where there is nothing. NSD
        is None where the rule has none.
    """

    status: str
    center: tuple[int, int, int]
    volume_ml: float
    dice: float
    hd95_mm: float
    nsd: float | None = None


@dataclass(frozen=True)
class Lesions:
    """The lesions of one mask, numbered from 1 on.

    Parameters
    ----------
    labels : NDArray[np.int32], shape (X, Y, Z)
        Number of each voxel's lesion, 0 outside of the mask.
    voxels : NDArray[np.int64], shape (N,)
        Flat indices of the mask's voxels, lesion by lesion.
    ends : NDArray[np.int64], shape (L + 1,)
        Lesion ``n`` has ``voxels[ends[n - 1] : ends[n]]``.
    """

    labels: NDArray[np.int32]
    voxels: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> "Lesions":
        """Return the parts of a mask that do not touch (26-connectivity)."""
        labels, count = ndimage.label(mask, TOUCHING)
        return cls.numbered(labels, np.flatnonzero(mask), count)

    @classmethod
    def numbered(
        cls, labels: NDArray[np.int32], voxels: NDArray[np.int64], count: int
    ) -> "Lesions":
        """Take numbers from 1 to ``count`` as they are, at the given flat indices."""
        order, ends = _sorted_by(labels.ravel()[voxels], count)
        return cls(labels, voxels[order], ends)

    @property
    def numbers(self) -> range:
        """The lesions' numbers."""
        return range(1, len(self.ends))

    def size(self, number: int) -> int:
        """Return how many voxels a lesion has."""
        return int(self.ends[number] - self.ends[number - 1])

    def center(self, number: int, pair: MaskPair) -> tuple[int, int, int]:
        """Return a lesion's voxel nearest its center of mass, in the whole volume."""
        voxels = pair.voxels(self.voxels[self.ends[number - 1] : self.ends[number]])
        away = (((voxels - voxels.mean(axis=0)) * pair.spacing_mm) ** 2).sum(axis=1)
        x, y, z = (voxels[np.argmin(away)] + pair.origin).tolist()
        return x, y, z


class LesionSurfaces:
    """Distances between chosen lesions of two masks.

    Both surfaces are found once and cut by lesion. That gives each lesion's own surface,
    because voxels of different lesions do not touch.

    Parameters
    ----------
    pair : MaskPair
        The masks.
    predicted, reference : Lesions
        Their lesions.
    rule : str
        Row of `HD95_RULES`: what surfaces are made of, and which distances are wanted.
    """

    def __init__(self, pair: MaskPair, predicted: Lesions, reference: Lesions, rule: str) -> None:
        self._pair, self._rule = pair, rule
        kind = HD95_RULES[rule].surface
        self._predicted = _cut(surface_of(pair.prediction, pair, kind), predicted)
        self._reference = _cut(surface_of(pair.reference, pair, kind), reference)

    def between(self, parts: Sequence[int], lesion: int) -> SurfaceDistances:
        """Measure some predicted lesions together against one of the reference, for HD95."""
        joined = Surface.joined([self._predicted[part] for part in parts])
        return distances_between(joined, self._reference[lesion], self._pair, rule=self._rule)


def _cut(surface: Surface, lesions: Lesions) -> list[Surface]:
    """Return each lesion's part of a surface by number; the first entry is empty."""
    owners = lesions.labels.ravel()[surface.owners]
    order, ends = _sorted_by(owners, len(lesions.numbers))
    return [surface.part(order[:0]), *(surface.part(order[a:b]) for a, b in pairwise(ends))]


def _sorted_by(
    numbers: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order that sorts numbers from 1 to ``count``, and where each one ends."""
    # Sixteen bits are sorted by counting, which is many times faster.
    small = numbers.astype(np.uint16) if count < 2**16 else numbers
    order = np.argsort(small, kind="stable")
    sizes = np.bincount(numbers, minlength=count + 1)
    return order, np.cumsum(sizes)


def grown(mask: NDArray[np.bool_], voxels: NDArray[np.int64], dilations: int) -> NDArray[np.bool_]:
    """Grow a mask by the voxels that share a face or an edge with it, again and again.

    Only the voxels added last are looked at: most of a box is never touched.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        C order, with a margin of at least ``dilations`` voxels. A margin outside of the
        volume joins nothing that would not join inside: whatever two lesions share beyond
        the border, they share at its nearest voxel too.
    voxels : NDArray[np.int64], shape (N,)
        Flat indices of at least the mask's surface.
    dilations : int
        How many times.

    Returns
    -------
    NDArray[np.bool_], shape (X, Y, Z)
    """
    result = mask.copy()
    flat = result.reshape(-1)
    _, sy, sz = mask.shape
    steps = [
        (x * sy + y) * sz + z
        for x, y, z in product((-1, 0, 1), repeat=3)
        if 0 < abs(x) + abs(y) + abs(z) < 3
    ]
    for _ in range(dilations):
        added = []
        for step in steps:
            around = voxels + step
            new = around[~flat[around]]
            flat[new] = True
            added.append(new)
        voxels = np.concatenate(added)
    return result


def meetings(
    first: NDArray[np.int32], second: NDArray[np.int32], voxels: NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """Yield which numbers of two labelings meet: (first, second, voxels), in order.

    Parameters
    ----------
    first, second : NDArray[np.int32], same shape
        Labelings; 0 meets nothing.
    voxels : NDArray[np.int64], shape (N,)
        Flat indices to look at.
    """
    one, two = first.ravel()[voxels], second.ravel()[voxels]
    both = (one > 0) & (two > 0)
    width = int(two.max(initial=0)) + 1
    pairs, counts = np.unique(one[both].astype(np.int64) * width + two[both], return_counts=True)
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        yield *divmod(pair, width), count
