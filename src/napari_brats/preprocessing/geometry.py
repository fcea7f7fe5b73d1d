"""Steps that move voxels: orientation, crops, fixed boxes, voxel size. Each has an inverse."""

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np

from napari_brats.preprocessing.ways import Affine, Array, Way, same
from napari_brats.volumes import spacing_of, voxel_ml

_LETTERS = ("LR", "PA", "IS")


def axis_directions(affine: Affine) -> str:
    """Return where each voxel axis points, e.g. ``"LPS"`` for BraTS files.

    Oblique axes get the letter of the nearest patient axis, each patient axis once.
    """
    directions = np.abs(affine[:3, :3] / spacing_of(affine))
    worlds = max(permutations(range(3)), key=lambda order: sum(directions[list(order), range(3)]))
    signs = [affine[world, voxel] > 0 for voxel, world in enumerate(worlds)]
    return "".join(_LETTERS[world][int(sign)] for world, sign in zip(worlds, signs, strict=True))


def left_right_axis(affine: Affine) -> int:
    """Return the voxel axis, 0 to 2, that runs between the patient's left and right."""
    letters = axis_directions(affine)
    return next(axis for axis, letter in enumerate(letters) if letter in "LR")


@dataclass(frozen=True)
class Reorient:
    """Permute and flip axes so that they point to ``target``, e.g. ``"LPS"``; no resampling.

    ``"PLS"`` gives the slices that SimpleITK shows for BraTS files: the transpose of
    nibabel's.
    """

    target: str = "LPS"

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the volume with its axes in the target order."""
        found = axis_directions(affine)
        if found == self.target:
            return volume, affine, Way()
        pairs = {letter: pair for pair in _LETTERS for letter in pair}
        order = [next(i for i in range(3) if pairs[found[i]] == pairs[t]) for t in self.target]
        flips = tuple(
            axis + 1 for axis, source in enumerate(order) if found[source] != self.target[axis]
        )
        moved = [0, *(axis + 1 for axis in order)]
        inverse = np.argsort(moved)

        def there(array: Array) -> Array:
            # A plain copy: torch refuses the negative strides that axes of size 1 would keep.
            return np.flip(array.transpose(moved), flips).copy()

        def back(array: Array) -> Array:
            return np.flip(array, flips).transpose(inverse).copy()

        shape = [volume.shape[1:][axis] for axis in order]
        new_affine = affine.copy()
        new_affine[:3, :3] = affine[:3, order]
        for flip in flips:
            new_affine[:3, 3] += new_affine[:3, flip - 1] * (shape[flip - 1] - 1)
            new_affine[:3, flip - 1] *= -1
        return there(volume), new_affine, Way(there, back)


@dataclass(frozen=True)
class CropToBrain:
    """Cut to the box of voxels that are non-zero in any modality, plus ``margin`` voxels.

    A volume without any non-zero voxel is left whole.
    """

    margin: int = 1

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the cropped volume."""
        columns = np.any(volume, axis=3)  # (C, X, Y): one pass over the volume serves two axes
        occupied = (
            np.any(columns, axis=(0, 2)),
            np.any(columns, axis=(0, 1)),
            np.any(volume, axis=(0, 1, 2)),
        )
        box = []
        for line in occupied:
            inside = np.flatnonzero(line)
            first, last = (inside[0], inside[-1]) if inside.size else (0, line.size - 1)
            start = max(int(first) - self.margin, 0)
            box.append(slice(start, min(int(last) + self.margin + 1, line.size)))
        return cut_box(volume, affine, tuple(box))


def cut_box(volume: Array, affine: Affine, box: tuple[slice, ...]) -> tuple[Array, Affine, Way]:
    """Cut a box of three slices out of (C, X, Y, Z); the way back fills with 0 around it."""
    starts = tuple(side.start for side in box)
    return _move_box(volume, affine, starts, tuple(side.stop - side.start for side in box))


@dataclass(frozen=True)
class FitInto:
    """Cut or pad every axis to a fixed shape; predictions are pasted back where they belong.

    Parameters
    ----------
    shape : tuple of int
        Voxels along X, Y, Z of the result, whatever the grid was before.
    anchor : {"center", "corner"}
        Where a smaller volume lands: in the middle (an odd voxel more at the end) or at the
        origin corner. A larger one is cut in the middle either way, which for 240 x 240 x 155
        and 128^3 is the published [56:184, 56:184, 13:141]. Padding is 0.
    """

    shape: tuple[int, int, int]
    anchor: Literal["center", "corner"] = "center"

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the volume in its new box; a note tells of brain left outside."""
        starts = tuple(
            (size - wanted) // 2 if self.anchor == "center" or size > wanted else 0
            for size, wanted in zip(volume.shape[1:], self.shape, strict=True)
        )
        fitted, moved, way = _move_box(volume, affine, starts, self.shape)
        lost = np.count_nonzero(volume.any(axis=0)) - np.count_nonzero(fitted.any(axis=0))
        if not lost:
            return fitted, moved, way
        box = " x ".join(str(size) for size in self.shape)
        lost_ml = lost * voxel_ml(affine)
        note = f"{lost_ml:.1f} ml of brain lie outside the recipe's {box} box and get no mask"
        return fitted, moved, Way(way.there, way.back, (note,))


def _move_box(
    volume: Array, affine: Affine, starts: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[Array, Affine, Way]:
    """Take the box that begins at voxel ``starts`` (negative: outside), 0 where nothing was."""
    old = volume.shape[1:]
    if old == shape and not any(starts):
        return volume, affine, Way()
    source: list[slice] = [slice(None)]
    target: list[slice] = [slice(None)]
    for start, size, wanted in zip(starts, old, shape, strict=True):
        first, last = max(start, 0), min(start + wanted, size)
        source.append(slice(first, last))
        target.append(slice(first - start, last - start))
    whole_source, whole_target = tuple(source), tuple(target)

    def there(array: Array) -> Array:
        return _paste(array[whole_source], shape, whole_target)

    def back(array: Array) -> Array:
        return _paste(array[whole_target], old, whole_source)

    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ np.array(starts, np.float64)
    return there(volume), moved, Way(there, back)


def _paste(part: Array, shape: tuple[int, ...], where: tuple[slice, ...]) -> Array:
    if part.shape[1:] == shape:
        return np.ascontiguousarray(part)
    out = np.zeros((part.shape[0], *shape), np.float32)
    out[where] = part
    return out


@dataclass(frozen=True)
class Resample:
    """Trilinear resampling to a voxel size in mm, over the same field of view.

    Axes already within 1 % of the wanted spacing stay untouched, so that 1 mm BraTS files
    pass through a 1 mm recipe bit for bit.
    """

    spacing_mm: float = 1.0

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the resampled volume."""
        shape = volume.shape[1:]
        ratio = spacing_of(affine) / self.spacing_mm
        new_shape = tuple(
            size if abs(r - 1) < 0.01 else max(1, round(size * r))
            for size, r in zip(shape, ratio, strict=True)
        )
        return resize(volume, affine, new_shape)


@dataclass(frozen=True)
class ResizeTo:
    """Trilinear resizing of the whole field of view to a fixed number of voxels."""

    shape: tuple[int, int, int]

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the resized volume."""
        return resize(volume, affine, self.shape)


def resize(volume: Array, affine: Affine, shape: tuple[int, ...]) -> tuple[Array, Affine, Way]:
    """Resize (C, X, Y, Z) trilinearly to ``shape``, keeping the outer faces in place."""
    old = volume.shape[1:]
    zoom = np.array(old) / np.array(shape)
    new_affine = affine.copy()
    new_affine[:3, :3] = affine[:3, :3] * zoom
    new_affine[:3, 3] += affine[:3, :3] @ ((zoom - 1) / 2)
    if old == shape:
        return volume, new_affine, Way(same, same)
    way = Way(lambda array: _interpolate(array, shape), lambda array: _interpolate(array, old))
    return way.there(volume), new_affine, way


def _interpolate(array: Array, shape: tuple[int, ...]) -> Array:
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(array))[None]
    out = torch.nn.functional.interpolate(tensor, size=shape, mode="trilinear")
    result: Array = out[0].numpy()
    return result
