"""`View`: a patient turned as people look at brains, and the slices that tell the most."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.plugin.display import display_of, edge_letters
from napari_brats.regions import REGIONS, region_mask

PLANES: Mapping[str, int] = {"axial": 0, "coronal": 1, "sagittal": 2}
"""Display axis that each kind of slice is cut across."""

_BRIGHTEST_PERCENT = 99.5
_MARGIN = 6


@dataclass(frozen=True)
class Slice:
    """One slice, upright, cut to the head.

    Parameters
    ----------
    plane : str
        Row of `PLANES`.
    number : int
        Counted from the patient's feet, back or left.
    images : Mapping[str, NDArray[np.float32]], shape (rows, columns)
        By modality.
    masks : Mapping[str, NDArray[np.uint8]], shape (rows, columns)
        `Tissue` codes by title.
    reference : NDArray[np.uint8] or None, shape (rows, columns)
        `Tissue` codes.
    windows : Mapping[str, tuple of float]
        Black and white of each modality.
    spacing_mm : tuple of float
        Of rows and columns.
    letters : Mapping[str, str]
        Patient direction at ``"top"``, ``"bottom"``, ``"left"`` and ``"right"``.
    """

    plane: str
    number: int
    images: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, NDArray[np.uint8]]
    reference: NDArray[np.uint8] | None
    windows: Mapping[str, tuple[float, float]]
    spacing_mm: tuple[float, float]
    letters: Mapping[str, str]

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The first mask."""
        return next(iter(self.masks.values()))


@dataclass(frozen=True)
class View:
    """A patient in display order: toward the feet, the back and the left.

    Parameters
    ----------
    case_id : str
        The patient.
    images : Mapping[str, NDArray[np.float32]], shape (I, P, L)
        By modality.
    masks : Mapping[str, NDArray[np.uint8]], shape (I, P, L)
        `Tissue` codes by title, one at least.
    reference : NDArray[np.uint8] or None, shape (I, P, L)
        `Tissue` codes.
    spacing_mm : tuple of float
        Along I, P, L.
    directions : str
        Where the axes point, ``"IPL"``.
    """

    case_id: str
    images: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, NDArray[np.uint8]]
    reference: NDArray[np.uint8] | None
    spacing_mm: tuple[float, float, float]
    directions: str

    @classmethod
    def of(cls, case: Case, masks: Mapping[str, NDArray[np.uint8]]) -> "View":
        """Turn a patient, and masks (X, Y, Z) on the patient's grid by title."""
        display = display_of(case.affine, case.shape)
        return cls(
            case_id=case.case_id,
            images={name: display.to_display(image) for name, image in case.images.items()},
            masks={title: display.to_display(mask) for title, mask in masks.items()},
            reference=None if case.reference is None else display.to_display(case.reference),
            spacing_mm=display.scale,
            directions=display.directions,
        )

    @property
    def all_masks(self) -> list[NDArray[np.uint8]]:
        """Masks and reference."""
        return [*self.masks.values(), *([] if self.reference is None else [self.reference])]

    @cached_property
    def head(self) -> NDArray[np.bool_]:
        """Where any modality is not 0, shape (I, P, L)."""
        head: NDArray[np.bool_] = np.logical_or.reduce(
            [image != 0 for image in self.images.values()]
        )
        return head

    @cached_property
    def windows(self) -> Mapping[str, tuple[float, float]]:
        """Black and white of each modality."""
        return {name: _window(image) for name, image in self.images.items()}

    def telling(self, plane: str = "axial") -> int:
        """Return the index of the slice with the most of all three regions.

        Every region of every mask counts by its own size, so that a small one counts as much
        as a large one; without any tumor it is the slice with the most head.
        """
        axis = PLANES[plane]
        areas = sum(
            _share_by_slice(region_mask(mask, region), axis)
            for mask in self.all_masks
            for region in REGIONS
        )
        if not np.any(areas):
            areas = _share_by_slice(self.head, axis)
        return int(np.argmax(areas))

    def spread(self, count: int) -> list[int]:
        """Return indices of up to ``count`` axial slices, evenly through the tumor, head first."""
        filled = self.tumor_slices()
        places = np.linspace(0, len(filled) - 1, count + 2)[1:-1]
        return sorted({int(filled[round(place)]) for place in places})

    def drawn(self, count: int, seed: int) -> list[int]:
        """Return indices of up to ``count`` axial slices, drawn at random through the tumor."""
        filled = self.tumor_slices()
        chosen = np.random.default_rng(seed).choice(filled, min(count, len(filled)), replace=False)
        return sorted(int(index) for index in chosen)

    def tumor_slices(self) -> NDArray[np.int64]:
        """Return indices of the axial slices with tumor in any mask; with head if none has."""
        tumor = np.logical_or.reduce([mask.any(axis=(1, 2)) for mask in self.all_masks])
        for inside in (tumor, self.head.any(axis=(1, 2))):
            if inside.any():
                return np.flatnonzero(inside)
        return np.arange(len(tumor))

    def cut(self, index: int, plane: str = "axial", *, box: "Box | None" = None) -> Slice:
        """Return a slice.

        Parameters
        ----------
        index : int
            Along the plane's display axis.
        plane : str
            Row of `PLANES`.
        box : three slices, optional
            Part of the volume to show; the head with a margin by default.
        """
        axis = PLANES[plane]
        rows, columns = (other for other in range(3) if other != axis)
        place: list[Any] = list(box or self.head_box)
        place[axis] = index

        def cut(volume: NDArray[Any]) -> NDArray[Any]:
            part: NDArray[Any] = volume[tuple(place)]
            return part

        return Slice(
            plane=plane,
            number=self.head.shape[axis] - 1 - index,
            images={name: cut(image) for name, image in self.images.items()},
            masks={title: cut(mask) for title, mask in self.masks.items()},
            reference=None if self.reference is None else cut(self.reference),
            windows=self.windows,
            spacing_mm=(self.spacing_mm[rows], self.spacing_mm[columns]),
            letters=edge_letters(self.directions, rows, columns),
        )

    @cached_property
    def head_box(self) -> "Box":
        """The head with a margin."""
        return box_around(self.head)

    @cached_property
    def tumor_box(self) -> "Box":
        """All tumor with a margin of a tenth of the head; the head if there is none."""
        tumor = np.logical_or.reduce([mask != 0 for mask in self.all_masks])
        if not tumor.any():
            return self.head_box
        sizes = [side.stop - side.start for side in self.head_box]
        return box_around(tumor, margins=[size // 10 for size in sizes])


Box = tuple[slice, slice, slice]


def box_around(inside: NDArray[np.bool_], margins: list[int] | None = None) -> Box:
    """Return the box of all True voxels with a margin; everything if there is none."""
    sides = []
    for axis, margin in enumerate(margins or [_MARGIN] * 3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(inside.any(axis=others))
        first, last = (filled[0], filled[-1]) if filled.size else (0, inside.shape[axis] - 1)
        sides.append(slice(max(int(first) - margin, 0), int(last) + margin + 1))
    return sides[0], sides[1], sides[2]


def _share_by_slice(mask: NDArray[np.bool_], axis: int) -> NDArray[np.float64]:
    others = tuple(other for other in range(3) if other != axis)
    areas: NDArray[np.float64] = mask.sum(axis=others, dtype=np.float64)
    return areas / max(float(areas.sum()), 1.0)


def _window(volume: NDArray[np.float32]) -> tuple[float, float]:
    inside = volume[volume != 0]
    if not inside.size:
        return 0.0, 1.0
    black, white = min(0.0, float(inside.min())), float(np.percentile(inside, _BRIGHTEST_PERCENT))
    return black, max(white, black + 1e-6)
