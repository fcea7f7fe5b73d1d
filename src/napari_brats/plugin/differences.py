"""DIFFERENCES: where a mask and a reference disagree, as a labels layer with names and colors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.regions import REGIONS, region_mask

ALL_REGIONS = ""
"""Stands for every region at once."""


@dataclass(frozen=True)
class Difference:
    """One label of a difference layer.

    Parameters
    ----------
    code : int
        The label.
    region : str
        Row of `REGIONS`; empty where only the tissue inside a region differs.
    missed : bool
        Whether the reference has the region and the mask has not (false negative); the
        other way round it is a false positive.
    title : str
        For people.
    color : str
        ``#rrggbb``: blue where something is missed, pink where there is too much, the darker
        the further inside.
    """

    code: int
    region: str
    missed: bool
    title: str
    color: str


_COLORS = {
    "WT": ("#a6d8f7", "#f3bcd8"),
    "TC": ("#3f9fe0", "#d9669f"),
    "ET": ("#0057a8", "#9c1f63"),
}

DIFFERENCES: tuple[Difference, ...] = (
    *(
        Difference(
            2 * place + 1 + too_much,
            region,
            not too_much,
            f"{region} {'false positive' if too_much else 'false negative'}",
            _COLORS[region][too_much],
        )
        for place, region in enumerate(REGIONS)
        for too_much in (False, True)
    ),
    Difference(2 * len(REGIONS) + 1, "", False, "other tissue of the same region", "#f0e442"),
)
_OTHER_TISSUE = DIFFERENCES[-1].code


def difference_codes(
    mask: NDArray[Any], reference: NDArray[np.uint8], region: str = ALL_REGIONS
) -> NDArray[np.uint8]:
    """Return where a mask and a reference disagree.

    Parameters
    ----------
    mask, reference : NDArray of integers, any shape
        `Tissue` codes on one grid.
    region : str
        Row of `REGIONS`, or `ALL_REGIONS`: each voxel then counts for the outermost region
        that only one of the two has, e.g. for WT where ET was taken for background.

    Returns
    -------
    NDArray[np.uint8]
        Codes of `DIFFERENCES`, 0 where the two agree.

    Examples
    --------
    >>> mask, reference = np.array([0, 2, 3, 1, 1], np.uint8), np.array([3, 0, 2, 3, 1], np.uint8)
    >>> difference_codes(mask, reference)
    array([1, 2, 4, 5, 0], dtype=uint8)
    >>> difference_codes(mask, reference, "ET")
    array([5, 0, 6, 5, 0], dtype=uint8)
    """
    codes = np.zeros(mask.shape, np.uint8)
    differs = mask != reference
    table = _TABLES[region]
    codes[differs] = table[mask[differs].astype(np.uint8), reference[differs]]
    return codes


def difference_appearance() -> dict[str, Any]:
    """Return the labels keywords that give differences their colors and names."""
    colors: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    colors.update({row.code: row.color for row in DIFFERENCES})
    names = {
        "index": [0, *(row.code for row in DIFFERENCES)],
        "difference": ["none", *(row.title for row in DIFFERENCES)],
    }
    return {"colormap": colors, "features": names}


def _table(region: str) -> NDArray[np.uint8]:
    """Return the code of each pair (label of the mask, label of the reference)."""
    labels = np.arange(256, dtype=np.uint8)
    table = np.zeros((256, 256), np.uint8)
    if region == ALL_REGIONS:
        table[labels[:, None] != labels] = _OTHER_TISSUE
    # From the innermost outward, so that the outermost is what remains.
    for row in reversed(DIFFERENCES[:-1]):
        if region in (ALL_REGIONS, row.region):
            inside = region_mask(labels, row.region)
            pairs = ~inside[:, None] & inside if row.missed else inside[:, None] & ~inside
            table[pairs] = row.code
    return table


_TABLES: Mapping[str, NDArray[np.uint8]] = {name: _table(name) for name in (ALL_REGIONS, *REGIONS)}
