"""What a mask says about a tumor: size, parts, side, make-up, certainty."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.errors import CaseError
from napari_brats.metrics.lesions import Lesions
from napari_brats.metrics.masks import bounding_box
from napari_brats.metrics.overlap import tissue_counts
from napari_brats.metrics.plausibility import SMALL_ML
from napari_brats.plugin.display import display_of
from napari_brats.regions import REGIONS, TISSUE_TITLES, Tissue, region_mask

BOTH_SIDES_SHARE = 0.05
UNSURE = (0.25, 0.75)
MIDLINE_RULE = (
    "The midline is the plane halfway between the left and right edge of the head in the image "
    "grid (the box of all voxels that are not 0). It is no anatomical midline: it is off where "
    "the head is turned or tilted in the grid, where one side is cut off, or where the tumor "
    "pushes the brain aside, and it says nothing about midline shift. BraTS images are aligned "
    "to an atlas, where it is usually good to a few millimeters."
)
SIDE_RULE = (
    f"A region is called right or left unless the smaller side holds at least "
    f"{BOTH_SIDES_SHARE:.0%} of it."
)
FOCI_RULE = (
    "Foci are parts of the whole tumor that do not touch, corners included (26-connectivity); "
    f"those under {SMALL_ML:g} ml are counted apart."
)
UNSURE_RULE = (
    f"Unsure voxels have a probability from {UNSURE[0]:g} to {UNSURE[1]:g}; the expected volume "
    "is the sum of all probabilities. A network's probabilities are not calibrated: they tell "
    "where it hesitates, not how often it is right."
)


@dataclass(frozen=True)
class Place:
    """Where something lies with regard to the midline.

    Parameters
    ----------
    left_ml, right_ml : float
        Volume on each of the patient's sides.
    side : str
        ``"left"``, ``"right"`` or ``"both sides"``.
    center_mm : float
        Of the center of mass from the midline.
    nearest_mm : float
        Of the nearest voxel's edge from the midline; 0 where it is crossed.
    """

    left_ml: float
    right_ml: float
    side: str
    center_mm: float
    nearest_mm: float


@dataclass(frozen=True)
class Focus:
    """One part of the whole tumor.

    Parameters
    ----------
    volume_ml : float
        Its size.
    center : tuple of int
        (x, y, z) voxel in the file's order, inside the part.
    place : Place
        Its side.
    """

    volume_ml: float
    center: tuple[int, int, int]
    place: Place


@dataclass(frozen=True)
class Certainty:
    """How sure a network is of one region.

    Parameters
    ----------
    expected_ml : float
        Sum of the probabilities.
    unsure_ml : float
        Volume with a probability within `UNSURE`.
    """

    expected_ml: float
    unsure_ml: float


@dataclass(frozen=True)
class Findings:
    """What one mask says.

    Parameters
    ----------
    volumes_ml : Mapping[str, float]
        Of WT, TC, ET.
    tissues_ml : Mapping[str, float]
        Of every tissue that occurs, by title.
    shares : Mapping[str, float]
        Of the same tissues in all tumor tissue; a resection cavity is none.
    places : Mapping[str, Place]
        Of each region that is not empty.
    foci : tuple of Focus
        The largest first, without those under `SMALL_ML`.
    small_foci : int
        How many those are.
    """

    volumes_ml: Mapping[str, float]
    tissues_ml: Mapping[str, float]
    shares: Mapping[str, float]
    places: Mapping[str, Place]
    foci: tuple[Focus, ...]
    small_foci: int


def find(case: Case, tissues: NDArray[np.uint8]) -> Findings:
    """Measure a mask.

    Parameters
    ----------
    case : Case
        The patient.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes on the patient's grid.

    Returns
    -------
    Findings
    """
    counts = tissue_counts(tissues)
    tumor = sum(int(counts[tissue]) for tissue in REGIONS["WT"].tissues)
    used = [tissue for tissue in Tissue if tissue and counts[tissue]]
    midline = _Midline.of(case)
    places, masks = {}, {name: region_mask(tissues, name) for name in REGIONS}
    for name, mask in masks.items():
        if mask.any():
            places[name] = midline.place(np.argwhere(mask), case.voxel_ml)
    foci = _foci(masks["WT"], midline, case.voxel_ml)
    large = [focus for focus in foci if focus.volume_ml >= SMALL_ML]
    return Findings(
        volumes_ml={name: float(mask.sum()) * case.voxel_ml for name, mask in masks.items()},
        tissues_ml={TISSUE_TITLES[one]: float(counts[one]) * case.voxel_ml for one in used},
        shares={
            TISSUE_TITLES[one]: float(counts[one]) / tumor
            for one in used
            if one in REGIONS["WT"].tissues
        },
        places=places,
        foci=tuple(sorted(large, key=lambda focus: -focus.volume_ml)),
        small_foci=len(foci) - len(large),
    )


def certainty(maps: NDArray[np.floating], case: Case) -> dict[str, Certainty]:
    """Measure how sure a network is.

    Parameters
    ----------
    maps : NDArray, shape (X, Y, Z, 3), 0 to 1
        Probabilities of WT, TC, ET on the patient's grid.
    case : Case
        The patient.

    Returns
    -------
    dict of str to Certainty

    Raises
    ------
    CaseError
        If the shape is another, or a value is no probability.
    """
    if maps.shape != (*case.shape, len(REGIONS)):
        raise CaseError(
            f"the probabilities have shape {maps.shape}, expected {(*case.shape, len(REGIONS))} "
            "(WT, TC, ET on the patient's grid); write them with segment --probabilities"
        )
    low, high = float(maps.min()), float(maps.max())
    if not (low >= 0 and high <= 1):
        raise CaseError(
            f"the probabilities reach from {low:g} to {high:g}, expected 0 to 1; "
            "write them with segment --probabilities"
        )
    return {
        name: Certainty(
            expected_ml=float(maps[..., place].sum(dtype=np.float64)) * case.voxel_ml,
            unsure_ml=float(
                np.count_nonzero((maps[..., place] >= UNSURE[0]) & (maps[..., place] <= UNSURE[1]))
            )
            * case.voxel_ml,
        )
        for place, name in enumerate(REGIONS)
    }


@dataclass(frozen=True)
class _Midline:
    """The plane that halves the head.

    ``axis`` is the file's axis that runs most nearly from side to side, ``index`` the plane on
    it, ``leftward`` whether the axis runs to the patient's left, ``spacing_mm`` its step.
    """

    axis: int
    index: float
    leftward: bool
    spacing_mm: float

    @classmethod
    def of(cls, case: Case) -> "_Midline":
        display = display_of(case.affine, case.shape)
        axis = display.axes[2]
        others = tuple(other for other in range(3) if other != axis)
        filled = [np.flatnonzero(image.any(axis=others)) for image in case.images.values()]
        first = min((int(line[0]) for line in filled if line.size), default=0)
        last = max((int(line[-1]) for line in filled if line.size), default=case.shape[axis] - 1)
        return cls(axis, (first + last) / 2, not display.flips[2], display.scale[2])

    def place(self, voxels: NDArray[np.int64], voxel_ml: float) -> Place:
        """Return where voxels (N, 3) lie, N at least 1."""
        toward_left = (voxels[:, self.axis] - self.index) * (1 if self.leftward else -1)
        left = float(np.count_nonzero(toward_left > 0) + np.count_nonzero(toward_left == 0) / 2)
        right = len(toward_left) - left
        crossed = min(left, right) > 0
        side = "left" if left > right else "right"
        if min(left, right) >= BOTH_SIDES_SHARE * len(toward_left):
            side = "both sides"
        nearest = max(float(np.abs(toward_left).min()) - 0.5, 0.0)
        return Place(
            left_ml=left * voxel_ml,
            right_ml=right * voxel_ml,
            side=side,
            center_mm=abs(float(toward_left.mean())) * self.spacing_mm,
            nearest_mm=0.0 if crossed else nearest * self.spacing_mm,
        )


def _foci(mask: NDArray[np.bool_], midline: _Midline, voxel_ml: float) -> list[Focus]:
    if not mask.any():
        return []
    box = bounding_box(mask)
    part = np.ascontiguousarray(mask[box])
    lesions = Lesions.of(part)
    start = np.array([side.start for side in box])
    found = []
    for number in lesions.numbers:
        flat = lesions.voxels[lesions.ends[number - 1] : lesions.ends[number]]
        voxels = np.stack(np.unravel_index(flat, part.shape), axis=-1) + start
        away = ((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1)
        x, y, z = voxels[np.argmin(away)].tolist()
        volume = len(voxels) * voxel_ml
        found.append(Focus(volume, (x, y, z), midline.place(voxels, voxel_ml)))
    return found
