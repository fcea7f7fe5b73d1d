"""Distances between the surfaces of two masks: exact, in mm, on any spacing.

Two things differ between programs that all say "HD95", and `HD95_RULES` names them: what a
surface is made of (the voxels of the mask with a face neighbor outside it, or the elements
of `surfels`), and how the 95th percentile is taken. Outside of the volume counts as outside
of the mask, so that a mask that touches the border has a surface there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.masks import MaskPair
from napari_brats.metrics.nearest import nearest_mm
from napari_brats.metrics.surfels import surfel_areas, surfels

NSD_TOLERANCE_MM = 1.0
"""How far apart surfaces may lie to count as the same: a voxel of BraTS."""


@dataclass(frozen=True)
class Surface:
    """The surface of one mask.

    Parameters
    ----------
    points : NDArray[np.int64], shape (N,)
        Flat indices into the grid of its `MaskPair`.
    areas : NDArray[np.float64], shape (N,)
        mm2 of each surface element; 1 for voxels.
    owners : NDArray[np.int64], shape (N,)
        Flat index of a voxel of the mask at each point.
    """

    points: NDArray[np.int64]
    areas: NDArray[np.float64]
    owners: NDArray[np.int64]

    def part(self, chosen: NDArray[np.int64]) -> "Surface":
        """Return the points with the given numbers."""
        return Surface(self.points[chosen], self.areas[chosen], self.owners[chosen])

    @classmethod
    def joined(cls, surfaces: Sequence["Surface"]) -> "Surface":
        """Return several surfaces as one."""
        return cls(
            np.concatenate([surface.points for surface in surfaces]),
            np.concatenate([surface.areas for surface in surfaces]),
            np.concatenate([surface.owners for surface in surfaces]),
        )


@dataclass(frozen=True)
class SurfaceDistances:
    """The distance of every point of each surface to the other surface.

    Parameters
    ----------
    prediction, reference : NDArray[np.float64], shapes (N,), (M,)
        mm from the prediction's points to the reference's surface, and back. Infinite if
        the other surface is empty.
    prediction_areas, reference_areas : NDArray[np.float64], shapes (N,), (M,)
        Weight of each point.
    """

    prediction: NDArray[np.float64]
    reference: NDArray[np.float64]
    prediction_areas: NDArray[np.float64]
    reference_areas: NDArray[np.float64]

    @property
    def hausdorff(self) -> float:
        """Largest of all distances (Huttenlocher et al. 1993, doi:10.1109/34.232073)."""
        return float(self._all.max(initial=0.0))

    @property
    def average(self) -> float:
        """Mean of all distances, both directions pooled."""
        return float(self._all.mean()) if self._all.size else 0.0

    def hd95(self, rule: str = "directed") -> float:
        """95th percentile of the distances by a row of `HD95_RULES`, in mm."""
        if not self._all.size:
            return 0.0
        if not (self.prediction.size and self.reference.size):
            return float(np.inf)
        return HD95_RULES[rule].compute(self)

    def nsd(self, tolerance_mm: float = NSD_TOLERANCE_MM) -> float:
        """Share of both surfaces within a tolerance of the other (Nikolov et al. 2021)."""
        return float(np.mean(self._all <= tolerance_mm)) if self._all.size else 1.0

    def mean_nsd(self, tolerance_mm: float) -> float:
        """Mean of the two surfaces' shares within a tolerance, as the 2026 package takes it."""
        if not (self.prediction.size and self.reference.size):
            return float(not self._all.size)
        shares = (np.mean(part <= tolerance_mm) for part in (self.prediction, self.reference))
        return float(sum(shares) / 2)

    @property
    def _all(self) -> NDArray[np.float64]:
        return np.concatenate((self.prediction, self.reference))


@dataclass(frozen=True)
class Hd95Rule:
    """One reading of "HD95".

    Parameters
    ----------
    name : str
        Value of ``--hd95``.
    surface : str
        ``"voxels"`` or ``"surfels"``.
    formula : str
        How the percentile is taken.
    programs : str
        Who takes it so.
    compute : callable
        From distances that are there in both directions to mm.
    largest : callable
        From one surface and the other to how many of the first one's largest distances can
        decide.
    """

    name: str
    surface: str
    formula: str
    programs: str
    compute: Callable[[SurfaceDistances], float]
    largest: Callable[[Surface, Surface], int]


def _directed(distances: SurfaceDistances) -> float:
    return float(
        max(np.percentile(part, 95) for part in (distances.prediction, distances.reference))
    )


def _pooled(distances: SurfaceDistances) -> float:
    return float(np.percentile(np.concatenate((distances.prediction, distances.reference)), 95))


def _by_area(distances: SurfaceDistances) -> float:
    directed = []
    for part, areas in (
        (distances.prediction, distances.prediction_areas),
        (distances.reference, distances.reference_areas),
    ):
        order = np.lexsort((areas, part))
        covered = np.cumsum(areas[order]) / areas.sum()
        directed.append(part[order[min(int(np.searchsorted(covered, 0.95)), len(part) - 1)]])
    return float(max(directed))


def _top(count: int) -> int:
    """Return how many of so many sorted numbers lie from their 95th percentile on, and one."""
    return count - int(0.95 * (count - 1)) + 1


def _top_by_area(here: Surface, _: Surface) -> int:
    """Return how many elements 5 % of the area can be at most, and two."""
    covered = np.cumsum(np.sort(here.areas))
    return int(np.searchsorted(covered, 0.05 * covered[-1:].sum())) + 2


HD95_RULES: Mapping[str, Hd95Rule] = {
    rule.name: rule
    for rule in (
        Hd95Rule(
            "directed",
            "voxels",
            "the larger of the two directed 95th percentiles, linearly interpolated",
            "MONAI; the default here",
            _directed,
            lambda here, _: _top(len(here.points)),
        ),
        Hd95Rule(
            "pooled",
            "voxels",
            "95th percentile of both directions' distances together, linearly interpolated",
            "MedPy, panoptica and with it the BraTS 2026 package",
            _pooled,
            lambda here, there: _top(len(here.points) + len(there.points)),
        ),
        Hd95Rule(
            "surfels",
            "surfels",
            "the larger of the two directed distances that 95 % of the surface's area keep",
            "DeepMind's surface-distance and with it the BraTS 2023 script",
            _by_area,
            _top_by_area,
        ),
    )
}


def surface_voxels(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the flat indices of the voxels with a face neighbor outside the mask.

    Parameters
    ----------
    mask : NDArray[np.bool_], shape (X, Y, Z)
        C order, empty outer layers.
    """
    flat = mask.ravel()
    inside = np.flatnonzero(flat)
    _, sy, sz = mask.shape
    enclosed = np.ones(len(inside), np.bool_)
    for step in (1, sz, sy * sz):
        enclosed &= flat[inside + step]
        enclosed &= flat[inside - step]
    return inside[~enclosed]


def surface_of(mask: NDArray[np.bool_], pair: MaskPair, kind: str = "voxels") -> Surface:
    """Return the surface of one mask of a pair, of kind ``"voxels"`` or ``"surfels"``."""
    points = surface_voxels(mask)
    if kind == "voxels":
        return Surface(points, np.ones(len(points)), points)
    return Surface(*surfels(mask, points, surfel_areas(pair.spacing_mm)))


def distances_between(
    prediction: Surface,
    reference: Surface,
    pair: MaskPair,
    *,
    rule: str | None = None,
) -> SurfaceDistances:
    """Measure two surfaces that lie on the grid of a pair.

    Parameters
    ----------
    prediction, reference : Surface
        The surfaces.
    pair : MaskPair
        Their grid.
    rule : str, optional
        Row of `HD95_RULES`: measure well only what this percentile and the share within
        the smallest voxel side depend on, which is several times faster.
    """
    there = back = None
    if rule is not None:
        largest = HD95_RULES[rule].largest
        there, back = largest(prediction, reference), largest(reference, prediction)
    return SurfaceDistances(
        nearest_mm(prediction.points, reference.points, pair, largest=there),
        nearest_mm(reference.points, prediction.points, pair, largest=back),
        prediction.areas,
        reference.areas,
    )


def surface_distances(pair: MaskPair, kind: str = "voxels") -> SurfaceDistances:
    """Measure the two masks of a pair.

    Parameters
    ----------
    pair : MaskPair
        The masks.
    kind : str
        ``"voxels"`` or ``"surfels"``.
    """
    return distances_between(
        surface_of(pair.prediction, pair, kind), surface_of(pair.reference, pair, kind), pair
    )


def hd95(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    spacing_mm: NDArray[np.floating] | tuple[float, float, float],
    *,
    rule: str = "directed",
) -> float:
    """Return the 95th percentile of the surface distances of two masks in mm.

    Parameters
    ----------
    prediction, reference : NDArray[np.bool_], shape (X, Y, Z)
        The masks.
    spacing_mm : three floats
        Voxel size along X, Y, Z.
    rule : str
        Row of `HD95_RULES`.

    Returns
    -------
    float
        0 if both masks are empty, infinite if one is.
    """
    pair = MaskPair.cropped(prediction, reference, spacing_mm)
    kind = HD95_RULES[rule].surface
    there, back = (surface_of(mask, pair, kind) for mask in (pair.prediction, pair.reference))
    return distances_between(there, back, pair, rule=rule).hd95(rule)
