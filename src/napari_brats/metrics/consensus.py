"""One mask out of several: majority vote, or STAPLE, region by region with ET in TC in WT.

Source of STAPLE: Warfield et al. 2004, doi:10.1109/TMI.2004.828354, as SimpleITK has it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import DependencyError
from napari_brats.metrics.agreement import common_box
from napari_brats.metrics.masks import MARGIN, padded
from napari_brats.regions import REGIONS, Tissue, region_mask, tissues_from_regions

MAJORITY, STAPLE = "majority", "staple"
CONSENSUS_RULES: Mapping[str, str] = {
    MAJORITY: "a region's voxels are those that more than half of the masks have",
    STAPLE: "a region's voxels are those to which STAPLE gives at least 0.5, in the box around "
    f"everything that any mask has, with {MARGIN} voxels around",
}
_INNER_CORE = tuple(
    tissue for tissue in Tissue if tissue in REGIONS["TC"].tissues - REGIONS["ET"].tissues
)
"""What lies in TC and outside of ET."""


@dataclass(frozen=True)
class Rater:
    """What STAPLE estimates of one mask in one region."""

    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Consensus:
    """A mask that several stand for together.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    raters : Mapping[str, tuple of Rater]
        By region, one a mask; empty for the majority vote.
    """

    tissues: NDArray[np.uint8]
    raters: Mapping[str, tuple[Rater, ...]] = field(default_factory=dict)


def consensus(masks: Sequence[NDArray[np.uint8]], rule: str) -> Consensus:
    """Join several masks of one case.

    WT, TC and ET are joined each for itself and nested: outside of WT nothing is TC, outside
    of TC nothing ET. Inside TC and outside ET a voxel becomes the tissue that most masks give
    it there. A resection cavity is joined like a region and lies outside of WT.

    Parameters
    ----------
    masks : sequence of NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes on one grid, two masks at least.
    rule : str
        Row of `CONSENSUS_RULES`.

    Returns
    -------
    Consensus

    Raises
    ------
    CaseError
        If there are fewer than two masks, or the shapes differ.
    DependencyError
        If STAPLE is asked for and SimpleITK is not installed.
    """
    box = common_box(masks)
    joined = np.zeros(masks[0].shape, np.uint8)
    parts = [padded(mask, box).view(np.uint8) for mask in masks]
    raters: dict[str, tuple[Rater, ...]] = {}
    join = _majority if rule == MAJORITY else _staple_into(raters)
    regions = [join(name, [region_mask(part, name) for part in parts]) for name in REGIONS]
    tissues = tissues_from_regions(np.stack(regions))
    core = tissues == Tissue.NECROSIS
    tissues[core] = _core_tissue(parts, core)
    cavity = join("RC", [part == Tissue.CAVITY for part in parts])
    tissues[cavity & (tissues == Tissue.BACKGROUND)] = Tissue.CAVITY
    inner = slice(MARGIN, -MARGIN)
    joined[box] = tissues[inner, inner, inner]
    return Consensus(joined, raters)


def _majority(_: str, masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    votes: NDArray[np.uint8] = np.sum(masks, axis=0, dtype=np.uint8)
    return votes > len(masks) / 2


def _staple_into(
    raters: dict[str, tuple[Rater, ...]],
) -> Callable[[str, Sequence[NDArray[np.bool_]]], NDArray[np.bool_]]:
    """Return a function that joins one region by STAPLE and notes what it thinks of the masks."""
    try:
        import SimpleITK as sitk
    except ImportError as error:
        raise DependencyError(
            "STAPLE needs SimpleITK, which is not installed; pip install "
            "'napari-brats[consensus]', or take the majority (--consensus majority)"
        ) from error

    new_filter: Callable[[], Any] = sitk.STAPLEImageFilter

    def join(name: str, masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        if all(np.array_equal(mask, masks[0]) for mask in masks[1:]):
            return masks[0]
        staple = new_filter()
        staple.SetForegroundValue(1)
        images = [sitk.GetImageFromArray(mask.view(np.uint8)) for mask in masks]
        likely = sitk.GetArrayViewFromImage(staple.Execute(images))
        pairs = zip(staple.GetSensitivity(), staple.GetSpecificity(), strict=True)
        raters[name] = tuple(Rater(float(p), float(q)) for p, q in pairs)
        return np.asarray(likely >= 0.5)

    return join


def _core_tissue(parts: Sequence[NDArray[np.uint8]], core: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the tissue that most masks give each voxel of the core that does not enhance.

    Where no mask has such a tissue at a voxel, it becomes what is commonest in all of them.
    """
    codes = np.array(_INNER_CORE, np.uint8)
    votes = np.array([np.sum([part[core] == code for part in parts], axis=0) for code in codes])
    common = [sum(int(np.count_nonzero(part == code)) for part in parts) for code in codes]
    chosen: NDArray[np.uint8] = codes[np.argmax(votes, axis=0)]
    chosen[votes.max(axis=0, initial=0) == 0] = codes[int(np.argmax(common))]
    return chosen
