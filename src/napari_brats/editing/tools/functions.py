"""The tools: each takes a `Work` and its parameters and returns the tissues it wants there.

What they return need not be allowed: `settle` keeps the limits.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.tools import parts, shapes
from napari_brats.editing.tools.seeds import grow_from_seed
from napari_brats.editing.tools.slices import between_slices
from napari_brats.editing.tools.work import Work
from napari_brats.regions import REGIONS, Tissue

Tissues = NDArray[np.uint8]


def fill_slices(work: Work, *, widest_mm: float) -> Tissues:
    """Fill between drawn slices; never takes a voxel out of a region, or from another tissue.

    A region grows only within the region around it (WT over background). A single tissue
    fills background only. All tissues: every region from the outermost on, then what
    belongs to no region.
    """
    if work.brush is None:
        return _all_slices(work, widest_mm)
    filled = between_slices(work.chosen, work.spacing_mm, work.axis, widest_mm)
    if work.brush.name not in REGIONS:
        filled &= work.tissues == Tissue.BACKGROUND
    return work.added(filled)


def _all_slices(work: Work, widest_mm: float) -> Tissues:
    wholes = [brush for brush in work.brushes if brush.name in REGIONS]
    known = frozenset[Tissue]().union(*(brush.tissues for brush in wholes))
    outside = [brush for brush in work.brushes if not brush.tissues & known]
    mask = work.mask
    for brush in (*wholes, *outside):
        step = replace(work, mask=mask, brush=brush)
        tissues = fill_slices(step, widest_mm=widest_mm)
        mask = mask.copy()
        mask[work.place] = tissues
    return mask[work.place]


def remove_islands(work: Work, *, least_ml: float) -> Tissues:
    """Take away separate parts that are smaller than a volume."""
    return work.repainted(parts.without_islands(work.chosen, _voxels(least_ml, work)))


def fill_holes(work: Work, *, most_ml: float) -> Tissues:
    """Fill what is enclosed on all sides, up to a volume."""
    return work.added(parts.without_holes(work.chosen, _voxels(most_ml, work)))


def smooth(work: Work, *, sigma_mm: float) -> Tissues:
    """Smooth an outline, or all tissues at once with no gap between them."""
    if work.brush is None:
        return shapes.smoothed_tissues(work.tissues, sigma_mm, work.spacing_mm)
    return work.repainted(shapes.smoothed(work.chosen, sigma_mm, work.spacing_mm))


def grow(work: Work, *, mm: float) -> Tissues:
    """Add a margin."""
    return work.added(shapes.grown(work.chosen, mm, work.spacing_mm))


def shrink(work: Work, *, mm: float) -> Tissues:
    """Take a margin away."""
    return work.repainted(shapes.shrunk(work.chosen, mm, work.spacing_mm))


def drop_small(work: Work, *, least_ml: float) -> Tissues:
    """Take away a region or tissue of which there is less than a volume in all."""
    chosen = work.chosen
    if np.count_nonzero(chosen) >= _voxels(least_ml, work):
        return work.tissues
    return work.without(chosen)


def take_region(work: Work, *, way: str) -> Tissues:
    """Take a region or tissue, with the tissues in it, from another mask.

    Parameters
    ----------
    work : Work
        With ``other``.
    way : {"replace", "add", "remove"}
        Make it what it is in the other mask, only add to it, or only take away from it.
    """
    assert work.other is not None
    other = work.other[work.place]
    there = work.belongs(other)
    if way == "add":
        return np.where(there & ~work.chosen, other, work.tissues)
    left = work.without(work.chosen & ~there)
    return left if way == "remove" else np.where(there, other, left)


def take_box(work: Work, *, edge_mm: float) -> Tissues:
    """Take everything, or a region, from another mask, in the work's own place."""
    return take_region(work, way="replace")


def grow_seed(work: Work, *, tolerance: float, radius_mm: float) -> Tissues:
    """Paint what is joined with the seed and looks like it in all images given."""
    assert work.seed is not None
    start = tuple(part.start for part in work.place)
    x, y, z = (at - first for at, first in zip(work.seed, start, strict=True))
    found = grow_from_seed(
        [image[work.place] for image in work.images],
        (x, y, z),
        work.spacing_mm,
        radius_mm=radius_mm,
        tolerance=tolerance,
        open_to=work.open_to,
    )
    return work.added(found)


def _voxels(ml: float, work: Work) -> float:
    """Return a volume as a number of voxels, safe from rounding."""
    return round(ml / work.voxel_ml, 6)
