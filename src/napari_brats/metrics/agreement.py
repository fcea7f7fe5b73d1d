"""How far several readers or models agree: Dice of each pair, Fleiss' kappa, ICC of volumes.

Sources: kappa of many raters (Fleiss 1971, doi:10.1037/h0031619); intraclass correlation,
form ICC(2,1) (Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_brats.errors import CaseError
from napari_brats.metrics.masks import bounding_box
from napari_brats.metrics.overlap import joint_counts, region_overlap, tissue_counts
from napari_brats.metrics.scores import region_volumes
from napari_brats.regions import REGIONS, Tissue, region_mask

KAPPA_RULE = (
    "Fleiss' kappa is over all voxels of the grid, each rated by every mask; of one class it is "
    "1 - sum n(m - n) / (N m (m - 1) p (1 - p)) with n of m masks for the class at a voxel, N "
    "voxels and p the class's share of all ratings. A class that no mask has, or all have "
    "everywhere, has no kappa."
)
ICC_RULE = (
    "ICC(2,1) of the volumes: two-way random effects, absolute agreement, one reader "
    "(Shrout and Fleiss 1979), over the cases of which all have a mask."
)


@dataclass(frozen=True)
class Agreement:
    """How far N masks of one case agree.

    Parameters
    ----------
    dice : Mapping[str, NDArray[np.float64]]
        (N, N) for WT, TC and ET, 1 on the diagonal; `EMPTY_RULE` holds.
    region_kappa : Mapping[str, float or None]
        Fleiss' kappa of inside against outside, for WT, TC and ET.
    tissue_kappa : Mapping[Tissue, float or None]
        The same of each tissue that any mask has, background first.
    kappa : float or None
        Over all tissues together.
    volumes_ml : Mapping[str, tuple of float]
        Of WT, TC and ET in each mask.
    """

    dice: Mapping[str, NDArray[np.float64]]
    region_kappa: Mapping[str, float | None]
    tissue_kappa: Mapping[Tissue, float | None]
    kappa: float | None
    volumes_ml: Mapping[str, tuple[float, ...]]

    def mean_dice(self, region: str) -> float:
        """Return the mean over all pairs."""
        matrix = self.dice[region]
        return float(matrix[np.triu_indices(len(matrix), 1)].mean())


def agreement(masks: Sequence[NDArray[np.uint8]], voxel_ml: float) -> Agreement:
    """Compare several masks of one case.

    Parameters
    ----------
    masks : sequence of NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes on one grid, two masks at least.
    voxel_ml : float
        Volume of a voxel in milliliters.

    Returns
    -------
    Agreement

    Raises
    ------
    CaseError
        If there are fewer than two masks, or the shapes differ.
    LabelError
        If a value is not a `Tissue` code.
    """
    box = common_box(masks)
    total = masks[0].size
    parts = [np.ascontiguousarray(mask[box]) for mask in masks]
    count = len(parts)
    dice = {name: np.eye(count) for name in REGIONS}
    for first, second in combinations(range(count), 2):
        joint = joint_counts(parts[first], parts[second])
        for name, matrix in dice.items():
            matrix[first, second] = matrix[second, first] = region_overlap(joint, name).dice
    counts = [tissue_counts(part) for part in parts]
    used = np.sum(counts, axis=0) > 0
    votes = {
        tissue: count_votes([part == tissue for part in parts], total)
        for tissue in Tissue
        if tissue and used[tissue]
    }
    # Nobody's tumor is everybody's background, beyond the box too.
    background = count_votes([part > 0 for part in parts], total)[::-1]
    votes = {Tissue.BACKGROUND: background, **votes}
    volumes = [region_volumes(one, voxel_ml) for one in counts]
    return Agreement(
        dice=dice,
        region_kappa={
            name: class_kappa(count_votes([region_mask(part, name) for part in parts], total))
            for name in REGIONS
        },
        tissue_kappa={tissue: class_kappa(row) for tissue, row in votes.items()},
        kappa=fleiss_kappa(list(votes.values())),
        volumes_ml={name: tuple(one[name] for one in volumes) for name in REGIONS},
    )


def common_box(masks: Sequence[NDArray[np.uint8]]) -> tuple[slice, slice, slice]:
    """Return the box that holds all of several masks, two at least and of one shape.

    Raises
    ------
    CaseError
        For fewer masks, or other shapes.
    """
    if len(masks) < 2:
        raise CaseError(f"{len(masks)} mask was given where two or more are compared; add another")
    for mask in masks:
        if mask.shape != masks[0].shape:
            raise CaseError(
                f"the masks have shapes {masks[0].shape} and {mask.shape}; compare masks on one "
                "grid"
            )
    anything = masks[0] > 0
    for mask in masks[1:]:
        anything |= mask > 0
    return bounding_box(anything)


def count_votes(masks: Sequence[NDArray[np.bool_]], total: int) -> NDArray[np.int64]:
    """Count the voxels that no, one, two ... of m masks have.

    Parameters
    ----------
    masks : sequence of NDArray[np.bool_], same shape
        One class in m masks, on the part of the grid that holds all of it.
    total : int
        Voxels of the whole grid.

    Returns
    -------
    NDArray[np.int64], shape (m + 1,)
        Sums to ``total``.
    """
    votes = np.zeros(masks[0].shape, np.uint8)
    for mask in masks:
        votes += mask
    counts = np.bincount(votes.ravel(), minlength=len(masks) + 1).astype(np.int64)
    counts[0] += total - votes.size
    return counts


def class_kappa(votes: NDArray[np.int64]) -> float | None:
    """Return Fleiss' kappa of one class.

    Parameters
    ----------
    votes : NDArray[np.int64], shape (m + 1,)
        From `count_votes`.

    Returns
    -------
    float or None
        Up to 1; None where the class is nowhere or everywhere.
    """
    raters = len(votes) - 1
    chosen = np.arange(raters + 1)
    ratings = float(votes.sum()) * raters
    share = float(votes @ chosen) / ratings if ratings else 0.0
    if share in (0.0, 1.0):
        return None
    split = float(votes @ (chosen * (raters - chosen)))
    return 1 - split / (ratings * (raters - 1) * share * (1 - share))


def fleiss_kappa(votes: Sequence[NDArray[np.int64]]) -> float | None:
    """Return Fleiss' kappa over all classes: (P - Pe) / (1 - Pe).

    Parameters
    ----------
    votes : sequence of NDArray[np.int64], shape (m + 1,)
        From `count_votes`, one a class; at each voxel every mask votes for one of them.

    Returns
    -------
    float or None
        None where all ratings are of one class.
    """
    table = np.asarray(votes)
    raters = table.shape[1] - 1
    voxels = float(table[0].sum())
    chosen = np.arange(raters + 1)
    shares = (table @ chosen) / (voxels * raters)
    by_chance = float(shares @ shares)
    if by_chance >= 1:
        return None
    squares = float((table @ chosen**2).sum())
    agreed = (squares - voxels * raters) / (voxels * raters * (raters - 1))
    return float((agreed - by_chance) / (1 - by_chance))


def icc(values: ArrayLike) -> float | None:
    """Return ICC(2,1): two-way random effects, absolute agreement, a single reader.

    (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n) with the mean squares of n cases (R),
    k readers (C) and the rest (E).

    Parameters
    ----------
    values : array, shape (n, k)
        One number a case and reader, e.g. volumes in ml.

    Returns
    -------
    float or None
        None for fewer than two cases or readers, or where all values are the same.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        return None
    cases, readers = table.shape
    by_case, by_reader = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_case[:, None] - by_reader[None, :] + table.mean()
    msr = readers * by_case.var(ddof=1)
    msc = cases * by_reader.var(ddof=1)
    mse = float((rest**2).sum()) / ((cases - 1) * (readers - 1))
    whole = msr + (readers - 1) * mse + readers * (msc - mse) / cases
    return float((msr - mse) / whole) if whole > 0 else None
