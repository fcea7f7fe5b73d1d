"""What a mask or its probabilities say against themselves, with no reference to compare with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.metrics.lesions import TOUCHING
from napari_brats.metrics.masks import bounding_box, padded
from napari_brats.regions import region_mask

SMALL_ML = 0.05
"""A part below this size is a speck, no focus."""

FAR_MM = 40.0
"""A focus with more than this between it and the largest one is far."""

AROUND_MM = 10.0
"""How far a tumor's surroundings reach."""


@dataclass(frozen=True)
class Oddities:
    """What is unusual in a glioma's mask.

    Parameters
    ----------
    empty : bool
        There is no tumor at all.
    bare_share : float
        Share of ET in parts that no other tumor tissue touches, corners included.
    far_foci : int
        Parts of WT of `SMALL_ML` or more, `FAR_MM` or more away from the largest.
    specks : int
        Parts of WT below `SMALL_ML`.
    """

    empty: bool
    bare_share: float = 0.0
    far_foci: int = 0
    specks: int = 0


def oddities(tissues: NDArray[np.uint8], spacing_mm: NDArray[np.floating]) -> Oddities:
    """Look for what is unusual in a mask.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    spacing_mm : NDArray, shape (3,)
        Voxel size.
    """
    whole = region_mask(tissues, "WT")
    if not whole.any():
        return Oddities(empty=True)
    box = bounding_box(whole)
    part, enhancing = padded(whole, box), padded(region_mask(tissues, "ET"), box)
    far, specks = _foci(part, spacing_mm)
    return Oddities(False, _bare_share(enhancing, part & ~enhancing), far, specks)


def _bare_share(enhancing: NDArray[np.bool_], others: NDArray[np.bool_]) -> float:
    from scipy import ndimage

    labels, count = ndimage.label(enhancing, TOUCHING)
    if not count:
        return 0.0
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    touched = np.unique(labels[ndimage.binary_dilation(others, TOUCHING) & enhancing])
    return 1 - float(sizes[touched - 1].sum() / sizes.sum())


def _foci(whole: NDArray[np.bool_], spacing_mm: NDArray[np.floating]) -> tuple[int, int]:
    """Return how many parts are far from the largest, and how many are specks."""
    from scipy import ndimage

    labels, count = ndimage.label(whole, TOUCHING)
    if count < 2:
        return 0, 0
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * float(np.prod(spacing_mm)) / 1000
    largest = int(np.argmax(sizes)) + 1
    large = np.flatnonzero(sizes >= SMALL_ML) + 1
    away = ndimage.distance_transform_edt(labels != largest, sampling=np.asarray(spacing_mm))
    nearest = ndimage.minimum(away, labels, large) if large.size else np.zeros(0)
    return int(np.sum(np.asarray(nearest) >= FAR_MM)), int(np.sum(sizes < SMALL_ML))


def surrounding_entropy(
    probability: NDArray[np.floating], spacing_mm: NDArray[np.floating]
) -> float | None:
    """Return the mean entropy in and around a tumor: -p log2 p - (1 - p) log2 (1 - p), in bits.

    Parameters
    ----------
    probability : NDArray, shape (X, Y, Z), 0 to 1
        Of the whole tumor.
    spacing_mm : NDArray, shape (3,)
        Voxel size.

    Returns
    -------
    float or None
        0 to 1, over all voxels up to `AROUND_MM` from one with a probability of at least 0.5;
        None where there is none.
    """
    from scipy import ndimage

    inside = probability >= 0.5
    if not inside.any():
        return None
    reach = np.ceil(AROUND_MM / np.asarray(spacing_mm)).astype(int)
    box = tuple(
        slice(max(side.start - int(more), 0), side.stop + int(more))
        for side, more in zip(bounding_box(inside), reach, strict=True)
    )
    away = ndimage.distance_transform_edt(~inside[box], sampling=np.asarray(spacing_mm))
    p = probability[box][away <= AROUND_MM].astype(np.float64)
    unsure = p[(p > 0) & (p < 1)]
    entropy = -unsure * np.log2(unsure) - (1 - unsure) * np.log2(1 - unsure)
    return float(entropy.sum() / p.size)
