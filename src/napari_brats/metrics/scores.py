"""The numbers a person reads: Dice and company and milliliters, per region."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.overlap import region_overlap
from napari_brats.regions import REGIONS

EMPTY_RULE = (
    "A region that is empty in both masks scores 1 (Dice, sensitivity, precision); "
    "one that is empty in only one of them scores 0."
)


@dataclass(frozen=True)
class RegionScore:
    """One region of a prediction against the reference.

    Parameters
    ----------
    dice, sensitivity, specificity, precision : float
        In [0, 1]; `EMPTY_RULE` says what stands where a region is empty.
    volume_ml, reference_ml : float
        Size in the prediction and in the reference, milliliters.
    """

    dice: float
    sensitivity: float
    specificity: float
    precision: float
    volume_ml: float
    reference_ml: float

    def to_json(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


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
    scores = {}
    for name in REGIONS:
        overlap = region_overlap(joint, name)
        scores[name] = RegionScore(
            dice=overlap.dice,
            sensitivity=overlap.sensitivity,
            specificity=overlap.specificity,
            precision=overlap.precision,
            volume_ml=overlap.predicted * voxel_ml,
            reference_ml=overlap.expected * voxel_ml,
        )
    return scores


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
        name: float(sum(counts[int(tissue)] for tissue in region.tissues) * voxel_ml)
        for name, region in REGIONS.items()
    }
