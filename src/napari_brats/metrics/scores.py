"""The numbers a person reads, per region, and the one place that decides about empty ones."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.overlap import Overlap, region_overlap
from napari_brats.regions import REGIONS, region_tissues

if TYPE_CHECKING:
    from napari_brats.metrics.surface import SurfaceDistances

EMPTY_RULE = (
    "A region that is empty in both masks scores 1 (Dice, sensitivity, precision); "
    "one that is empty in only one of them scores 0."
)
EMPTY_DISTANCE_RULE = (
    "A region that is empty in both masks has distance 0 and NSD 1; one that is empty in only "
    "one of them has no distance (null in JSON, an empty cell in CSV) and NSD 0."
)


@dataclass(frozen=True)
class RegionScore:
    """One region of a prediction against the reference: what voxel counts tell.

    Parameters
    ----------
    dice, jaccard, sensitivity, specificity, precision : float
        In [0, 1]; `EMPTY_RULE` says what stands where a region is empty.
    volume_ml, reference_ml : float
        Size in the prediction and in the reference, milliliters.
    """

    dice: float
    jaccard: float
    sensitivity: float
    specificity: float
    precision: float
    volume_ml: float
    reference_ml: float

    @property
    def volume_difference_ml(self) -> float:
        """Predicted minus reference volume."""
        return self.volume_ml - self.reference_ml

    def to_json(self) -> dict[str, float | None]:
        """Return the numbers by name; a distance that does not exist is None."""
        values = {**asdict(self), "volume_difference_ml": self.volume_difference_ml}
        return {name: value if math.isfinite(value) else None for name, value in values.items()}


@dataclass(frozen=True)
class FullRegionScore(RegionScore):
    """A `RegionScore` with the distances between the surfaces.

    Parameters
    ----------
    hd95_mm, hausdorff_mm, assd_mm : float
        Distances, mm; infinite where one mask is empty (`EMPTY_DISTANCE_RULE`).
    nsd : float
        Share of the surfaces within the tolerance of each other.
    """

    hd95_mm: float
    hausdorff_mm: float
    assd_mm: float
    nsd: float


Scores = Mapping[str, RegionScore]


def score_regions(joint: NDArray[np.int64], voxel_ml: float) -> dict[str, RegionScore]:
    """Score WT, TC and ET from a joint histogram.

    Parameters
    ----------
    joint : NDArray[np.int64], shape (8, 8)
        ``[predicted tissue, reference tissue]`` from `overlap.joint_counts`.
    voxel_ml : float
        Volume of a voxel in milliliters (`Case.voxel_ml`).

    Returns
    -------
    dict of str to RegionScore
        In the order of `REGIONS`.
    """
    return {
        name: RegionScore(**_overlap_numbers(region_overlap(joint, name), voxel_ml))
        for name in REGIONS
    }


def full_score(
    overlap: Overlap,
    voxel_ml: float,
    distances: "SurfaceDistances",
    *,
    hd95_mm: float,
    tolerance_mm: float,
) -> FullRegionScore:
    """Put counts and distances of one region together.

    Parameters
    ----------
    overlap : Overlap
        Voxel counts.
    voxel_ml : float
        Volume of a voxel in milliliters.
    distances : SurfaceDistances
        Of the surface voxels.
    hd95_mm : float
        By the rule that was asked for.
    tolerance_mm : float
        For NSD.
    """
    return FullRegionScore(
        **_overlap_numbers(overlap, voxel_ml),
        hd95_mm=hd95_mm,
        hausdorff_mm=distances.hausdorff,
        assd_mm=distances.average,
        nsd=distances.nsd(tolerance_mm),
    )


def region_volumes(counts: NDArray[np.int64], voxel_ml: float) -> dict[str, float]:
    """Return the size of WT, TC and ET in milliliters, where there is no reference.

    Parameters
    ----------
    counts : NDArray[np.int64], shape (8,)
        Voxels per tissue: `overlap.tissue_counts`, or ``joint.sum(axis=1)``.
    voxel_ml : float
        Volume of a voxel in milliliters.

    Returns
    -------
    dict of str to float
    """
    return {
        name: float(sum(counts[int(tissue)] for tissue in region_tissues(name)) * voxel_ml)
        for name in REGIONS
    }


def _overlap_numbers(overlap: Overlap, voxel_ml: float) -> dict[str, float]:
    return {
        "dice": overlap.dice,
        "jaccard": overlap.jaccard,
        "sensitivity": overlap.sensitivity,
        "specificity": overlap.specificity,
        "precision": overlap.precision,
        "volume_ml": overlap.predicted * voxel_ml,
        "reference_ml": overlap.expected * voxel_ml,
    }
