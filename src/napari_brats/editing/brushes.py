"""Brushes: what painting or erasing a tissue or a region makes of each tissue.

Regions are nested, ET in TC in WT, so each row needs only to say what its region is, what
lies around it, and what a voxel becomes on the way in and on the way out. The table that
follows for most editions (necrosis N, edema E, enhancing A, background 0, cavity C):

=========  =====================  ===========================
brush      add                    erase
=========  =====================  ===========================
WT         0 -> E                 N, E, A -> 0
TC         E -> N                 N, A -> E
ET         N, E -> A              A -> N
a tissue   everything -> it       everything -> 0
=========  =====================  ===========================

So TC and ET never leave WT, whose extent only its own brush changes, and a cavity, which
belongs to no region, is left alone by all three. Tissues are painted as in any program.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.codes import as_codes
from napari_brats.editing.limits import Limits, Tissues, members
from napari_brats.regions import (
    REGIONS,
    TISSUE_TITLES,
    LabelConvention,
    Tissue,
    region_tissues,
)


@dataclass(frozen=True)
class Stroke:
    """What one pass of a brush does.

    Parameters
    ----------
    changes : frozenset of Tissue or None
        What changes; None for every label, also one that is no tissue.
    becomes : Tissue
        What it changes to.
    """

    changes: Tissues | None
    becomes: Tissue

    def voxels(
        self, mask: NDArray[np.integer], limits: Limits, place: tuple[slice, ...]
    ) -> NDArray[np.bool_]:
        """Return which voxels of a box of the whole mask a pass changes."""
        changes = np.ones(256, np.bool_) if self.changes is None else members(self.changes)
        changes[self.becomes] = False
        return changes[as_codes(mask[place])] & limits.allowed(mask, self.becomes, place)


@dataclass(frozen=True)
class Brush:
    """One row: a tissue or a region that can be painted.

    Parameters
    ----------
    name : str
        A region's name, or a tissue's title.
    title : str
        For people.
    tissues : frozenset of Tissue
        What it consists of.
    over : frozenset of Tissue or None
        What it grows over; None for every label.
    becomes : Tissue
        What a voxel is made that it grows over.
    erases : frozenset of Tissue or None
        What its eraser takes; None for every label.
    leaves : Tissue
        What an erased voxel is made.
    """

    name: str
    title: str
    tissues: Tissues
    over: Tissues | None
    becomes: Tissue
    erases: Tissues | None
    leaves: Tissue

    def stroke(self, *, erasing: bool) -> Stroke:
        """Return what painting, or erasing, with this brush does."""
        if erasing:
            return Stroke(self.erases, self.leaves)
        return Stroke(self.over, self.becomes)


_ADDED = {
    "WT": (Tissue.EDEMA,),
    "TC": (Tissue.NECROSIS, Tissue.NON_ENHANCING, Tissue.GROSS_TUMOR),
    "ET": (Tissue.ENHANCING,),
}
"""What a voxel becomes when a region grows over it: the first that the edition has."""


def tissue_brushes(convention: LabelConvention) -> tuple[Brush, ...]:
    """Return a brush for each tissue of an edition, in the order of its codes."""
    return tuple(
        Brush(
            name=TISSUE_TITLES[tissue],
            title=TISSUE_TITLES[tissue],
            tissues=frozenset({tissue}),
            over=None,
            becomes=tissue,
            erases=None,
            leaves=Tissue.BACKGROUND,
        )
        for tissue in convention.codes.values()
    )


def region_brushes(convention: LabelConvention) -> tuple[Brush, ...]:
    """Return a brush for each region that an edition tells apart, the outermost first."""
    known = set(convention.codes.values())
    rows: list[Brush] = []
    whole: Tissues = frozenset()
    leaves = Tissue.BACKGROUND
    for name, region in REGIONS.items():
        becomes = next((tissue for tissue in _ADDED[name] if tissue in known), None)
        if becomes is None:
            continue
        tissues = region_tissues(name)
        over = whole - tissues if whole else frozenset({Tissue.BACKGROUND})
        rows.append(Brush(name, region.title, tissues, over, becomes, tissues, leaves))
        whole, leaves = whole or tissues, becomes
    return tuple(rows)
