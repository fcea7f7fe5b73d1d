"""Tissue codes and what they are called; REGIONS, the unions that are scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Tissue(IntEnum):
    """What one voxel is, in the codes used everywhere inside napari-brats."""

    BACKGROUND = 0
    NECROSIS = 1
    EDEMA = 2
    ENHANCING = 3
    CAVITY = 4
    NON_ENHANCING = 5
    CYST = 6
    GROSS_TUMOR = 7


TISSUE_TITLES: Mapping[Tissue, str] = {
    Tissue.BACKGROUND: "background",
    Tissue.NECROSIS: "necrosis",
    Tissue.EDEMA: "edema",
    Tissue.ENHANCING: "enhancing tumor",
    Tissue.CAVITY: "resection cavity",
    Tissue.NON_ENHANCING: "non-enhancing tumor",
    Tissue.CYST: "cystic component",
    Tissue.GROSS_TUMOR: "gross tumor volume",
}


@dataclass(frozen=True)
class Region:
    """A union of tissues that BraTS scores: WT, TC or ET.

    ET lies inside TC and TC inside WT; a resection cavity belongs to none of them.
    """

    name: str
    title: str
    tissues: frozenset[Tissue]


_CORE = frozenset(
    {Tissue.NECROSIS, Tissue.ENHANCING, Tissue.NON_ENHANCING, Tissue.CYST, Tissue.GROSS_TUMOR}
)
REGIONS: Mapping[str, Region] = {
    region.name: region
    for region in (
        Region("WT", "whole tumor", _CORE | {Tissue.EDEMA}),
        Region("TC", "tumor core", _CORE),
        Region("ET", "enhancing tumor", frozenset({Tissue.ENHANCING})),
    )
}

SUBREGIONS: Mapping[str, Region] = {
    region.name: region
    for region in (
        Region("NETC", "tumor core without enhancement", _CORE - {Tissue.ENHANCING, Tissue.CYST}),
        Region("SNFH", "edema and infiltration (FLAIR hyperintensity)", frozenset({Tissue.EDEMA})),
        Region("RC", "resection cavity", frozenset({Tissue.CAVITY})),
        Region("CC", "cystic component", frozenset({Tissue.CYST})),
        Region("ED", "edema", frozenset({Tissue.EDEMA})),
        Region("GTV", "gross tumor volume", frozenset({Tissue.GROSS_TUMOR})),
    )
}
"""What an edition scores beside WT, TC and ET, under the names that its task uses."""


def region_mask(tissues: NDArray[np.uint8], region: str) -> NDArray[np.bool_]:
    """Return where a tissue map belongs to a region of `REGIONS` or `SUBREGIONS`."""
    table = np.zeros(256, np.bool_)
    table[[int(tissue) for tissue in region_tissues(region)]] = True
    return table[tissues]


def region_tissues(region: str) -> frozenset[Tissue]:
    """Return what a region of `REGIONS` or `SUBREGIONS` consists of."""
    return (REGIONS.get(region) or SUBREGIONS[region]).tissues


def tissues_from_regions(regions: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Turn region masks into one tissue map with ET inside TC inside WT.

    Parameters
    ----------
    regions : NDArray[np.bool_], shape (3, ...)
        WT, TC, ET in this order.

    Returns
    -------
    NDArray[np.uint8], shape (...)
        Voxels outside WT are background whatever TC and ET say; inside WT, outside TC edema;
        inside TC, outside ET necrosis; the rest enhancing.

    Examples
    --------
    >>> tissues_from_regions(np.array([[0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 1]], bool))
    array([0, 2, 1, 3, 0], dtype=uint8)
    """
    whole, core, enhancing = regions
    tissues = np.where(whole, np.uint8(Tissue.EDEMA), np.uint8(Tissue.BACKGROUND))
    tissues[whole & core] = Tissue.NECROSIS
    tissues[whole & core & enhancing] = Tissue.ENHANCING
    return tissues
