"""What a tool is given, and how what it wants becomes a change that is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Box
from napari_brats.editing.brushes import Brush
from napari_brats.editing.limits import FREE, Limits, members
from napari_brats.metrics.masks import bounding_box
from napari_brats.regions import TISSUE_TITLES, Tissue

Voxel = tuple[int, int, int]
Place = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Work:
    """A mask, what to apply a tool to, and what may change.

    Parameters
    ----------
    mask : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes; never written to. Axes in any order, all arrays in the same.
    spacing_mm : sequence of float
        Voxel size along X, Y, Z.
    brush : Brush or None
        The region or tissue that it is applied to; None for all tissues.
    brushes : tuple of Brush
        All of the edition, regions before tissues, the outermost region first.
    limits : Limits
        What may change.
    axis : int
        Across the slices that people draw in.
    seed : tuple of int or None
        The voxel that a person pointed at.
    other : NDArray[np.uint8] or None, shape (X, Y, Z)
        Another mask.
    images : sequence of NDArray, shape (X, Y, Z)
        Modalities.
    place : tuple of slice
        The part of the volume that is looked at; the properties are cut to it.
    """

    mask: NDArray[np.uint8]
    spacing_mm: Sequence[float]
    brush: Brush | None = None
    brushes: tuple[Brush, ...] = ()
    limits: Limits = FREE
    axis: int = 0
    seed: Voxel | None = None
    other: NDArray[np.uint8] | None = None
    images: Sequence[NDArray[np.floating]] = ()
    place: Place = field(default=(slice(None),) * 3)

    def at(self, place: Place) -> "Work":
        """Return the same, looking at another place."""
        return replace(self, place=place)

    @property
    def tissues(self) -> NDArray[np.uint8]:
        """The mask in the place."""
        return self.mask[self.place]

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in milliliters."""
        return float(np.prod(self.spacing_mm)) / 1000

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Where the place belongs to what the tool is applied to."""
        return self.belongs(self.tissues)

    def belongs(self, tissues: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return where a tissue map belongs to what the tool is applied to."""
        drawn = frozenset(Tissue) - {Tissue.BACKGROUND}
        table = members(drawn if self.brush is None else self.brush.tissues)
        belongs: NDArray[np.bool_] = table[tissues]
        return belongs

    def repainted(self, wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the place with the brush's region or tissue where it is wanted, and only there.

        Voxels are added and taken away by the brush's own rules; without a brush, what is
        not wanted becomes background and nothing is added.
        """
        result = self.without(~wanted)
        result[wanted] = self.added(wanted)[wanted]
        return result

    def added(self, wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the place with the brush painted over some voxels."""
        result = self.tissues.copy()
        if self.brush is not None:
            stroke = self.brush.stroke(erasing=False)
            result[wanted & stroke.voxels(self.mask, FREE, self.place)] = stroke.becomes
        return result

    def without(self, unwanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the place with the brush's own voxels erased where they are not wanted."""
        result = self.tissues.copy()
        if self.brush is None:
            result[unwanted] = Tissue.BACKGROUND
        else:
            stroke = self.brush.stroke(erasing=True)
            gone = unwanted & self.chosen & stroke.voxels(self.mask, FREE, self.place)
            result[gone] = stroke.becomes
        return result

    @property
    def open_to(self) -> NDArray[np.bool_]:
        """Where the brush may paint, or has painted already."""
        assert self.brush is not None
        stroke = self.brush.stroke(erasing=False)
        return self.chosen | stroke.voxels(self.mask, self.limits, self.place)


def around_tumor(work: Work, reach_mm: float) -> Place:
    """Return the box of all that is in either mask, with a margin."""
    drawn = work.mask != Tissue.BACKGROUND
    if work.other is not None:
        drawn |= work.other != Tissue.BACKGROUND
    if not drawn.any():
        return (slice(0, 0),) * 3
    # One more voxel on each side shows that nothing lies beyond.
    return _widened(bounding_box(drawn), reach_mm, work, extra=1)


def around_seed(work: Work, reach_mm: float) -> Place:
    """Return the box within a distance of the seed."""
    assert work.seed is not None
    return _widened(tuple(slice(at, at + 1) for at in work.seed), reach_mm, work)


def _widened(place: Place, reach_mm: float, work: Work, extra: int = 0) -> Place:
    """Grow a box by whole voxels, as far as the volume goes."""
    reaches = [int(reach_mm / size + 1e-6) + extra for size in work.spacing_mm]
    return tuple(
        slice(max(0, part.start - reach), min(length, part.stop + reach))
        for part, reach, length in zip(place, reaches, work.mask.shape, strict=True)
    )


def settle(work: Work, wanted: NDArray[np.uint8]) -> Box | None:
    """Return what of a wanted state is allowed as the smallest box; None if nothing changes.

    Parameters
    ----------
    work : Work
        Its limits decide.
    wanted : NDArray[np.uint8]
        What a tool made of ``work.tissues``.
    """
    before = work.tissues
    change = wanted != before
    change &= work.limits.allowed(work.mask, wanted, work.place)
    if not change.any():
        return None
    inner = bounding_box(change)
    after = np.where(change[inner], wanted[inner], before[inner])
    x, y, z = (
        range(length)[part].start + inside.start
        for part, inside, length in zip(work.place, inner, work.mask.shape, strict=True)
    )
    return Box((x, y, z), before[inner].copy(), after)


def gained_and_lost_ml(box: Box, voxel_ml: float) -> Mapping[str, tuple[float, float]]:
    """Return how much of each tissue came and went, by the tissues' titles."""
    changed = box.old != box.new
    came, went = (
        np.bincount(values[changed], minlength=len(Tissue)) * voxel_ml
        for values in (box.new, box.old)
    )
    return {
        title: (float(came[tissue]), float(went[tissue]))
        for tissue, title in TISSUE_TITLES.items()
        if tissue and (came[tissue] or went[tissue])
    }
