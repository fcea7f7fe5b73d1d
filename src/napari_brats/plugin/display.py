"""How a patient's voxels are turned for the screen, and exactly back again.

napari draws the last two axes, rows downward and columns rightward. So that every plane
stands upright with napari's default camera, display axes run I (toward the feet), P and L:
axial slices first, anterior up, and the patient's right on the viewer's left. World
coordinates are patient millimeters along these directions.

Only axes are permuted and flipped, never voxels mixed: `Display.to_file` undoes
`Display.to_display` for any affine. Oblique volumes are shown along the nearest axes, because
napari draws no oblique volume correctly in 2D; the true affine stays with the layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_brats.volumes import spacing_of

Value = TypeVar("Value", bound=np.generic)

UNITS = ("mm", "mm", "mm")
VIEW_CONVENTIONS: Mapping[str, str] = {"radiological": "IPL", "neurological": "IPR"}
"""Where the display axes point: the patient's right on the viewer's left, or on the right."""

_WORLD_AXIS = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}
_POSITIVE = "RAS"
_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


@dataclass(frozen=True)
class Display:
    """The turn from a file's voxel axes (X, Y, Z) to the axes on the screen.

    Parameters
    ----------
    directions : str
        Where each display axis points, e.g. ``"IPL"``.
    axes : tuple of int
        Voxel axis of the file that each display axis shows.
    flips : tuple of bool
        Whether a display axis runs against the file's.
    shape : tuple of int
        Voxels of the file along X, Y, Z.
    affine : NDArray[np.float64], shape (4, 4)
        The file's voxel index to patient millimeters (RAS+), oblique or not.
    """

    directions: str
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def to_display(self, volume: NDArray[Value]) -> NDArray[Value]:
        """Return a view of (X, Y, Z) with the display's axes; writes go through."""
        return np.flip(volume.transpose(self.axes), self._flipped())

    def to_file(self, volume: NDArray[Value]) -> NDArray[Value]:
        """Return a view with the file's axes (X, Y, Z); exact inverse of `to_display`."""
        return np.flip(volume, self._flipped()).transpose(np.argsort(self.axes))

    @property
    def display_shape(self) -> tuple[int, int, int]:
        """Voxels along the display axes."""
        first, second, third = (self.shape[axis] for axis in self.axes)
        return first, second, third

    @property
    def scale(self) -> tuple[float, float, float]:
        """Voxel size along the display axes in mm."""
        spacing = spacing_of(self.affine)
        first, second, third = (float(spacing[axis]) for axis in self.axes)
        return first, second, third

    @property
    def translate(self) -> tuple[float, float, float]:
        """World coordinates in mm of display voxel (0, 0, 0).

        The volume's center has its true place; without rotation every voxel has.
        """
        middle = (np.array(self.display_shape) - 1) / 2
        center = self.patient_mm(middle)
        signs = [1 if letter in _POSITIVE else -1 for letter in self.directions]
        world = [
            sign * center[_WORLD_AXIS[letter]]
            for sign, letter in zip(signs, self.directions, strict=True)
        ]
        first, second, third = (np.array(world) - middle * self.scale).tolist()
        return first, second, third

    @property
    def axis_labels(self) -> tuple[str, str, str]:
        """Name of each display axis, from its first voxel to its last, e.g. ``"S-I"``."""
        first, second, third = (f"{_OPPOSITE[letter]}-{letter}" for letter in self.directions)
        return first, second, third

    def file_index(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the file's voxel index (x, y, z) of a display index, shape (3,)."""
        found = np.empty(3)
        for position, (axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            found[axis] = self.shape[axis] - 1 - index[position] if flip else index[position]
        return found

    def display_index(self, index: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the display index of a voxel of the file; the inverse of `file_index`."""
        first, second, third = (
            self.shape[axis] - 1 - index[axis] if flip else index[axis]
            for axis, flip in zip(self.axes, self.flips, strict=True)
        )
        return first, second, third

    def patient_mm(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return patient millimeters (R, A, S) of a display index, by the true affine."""
        place: NDArray[np.float64] = (
            self.affine[:3, :3] @ self.file_index(index) + self.affine[:3, 3]
        )
        return place

    def _flipped(self) -> tuple[int, ...]:
        return tuple(axis for axis, flip in enumerate(self.flips) if flip)


def display_of(
    affine: NDArray[np.float64],
    shape: tuple[int, int, int],
    view_convention: str = "radiological",
) -> Display:
    """Return how a volume is shown.

    Parameters
    ----------
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient millimeters, RAS+; any orientation, oblique too.
    shape : tuple of int
        Voxels along X, Y, Z.
    view_convention : str
        Row of `VIEW_CONVENTIONS`.
    """
    directions = VIEW_CONVENTIONS[view_convention]
    columns = affine[:3, :3] / spacing_of(affine)
    worlds = [_WORLD_AXIS[letter] for letter in directions]
    axes: tuple[int, int, int] = max(
        ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)),
        key=lambda order: sum(
            abs(columns[world, axis]) for world, axis in zip(worlds, order, strict=True)
        ),
    )
    first, second, third = (
        bool((columns[world, axis] > 0) != (letter in _POSITIVE))
        for world, axis, letter in zip(worlds, axes, directions, strict=True)
    )
    return Display(directions, axes, (first, second, third), shape, affine)


def edge_letters(
    directions: str, rows: int, columns: int, *, up: bool = False, left: bool = False
) -> dict[str, str]:
    """Return which patient direction lies at each edge of a 2D view.

    Parameters
    ----------
    directions : str
        Where the display axes point.
    rows, columns : int
        Display axes drawn vertically and horizontally.
    up, left : bool
        Whether the camera draws rows upward or columns leftward, against napari's default.

    Returns
    -------
    dict of str to str
        Letter at ``"top"``, ``"bottom"``, ``"left"`` and ``"right"``.
    """
    bottom, right = directions[rows], directions[columns]
    bottom = _OPPOSITE[bottom] if up else bottom
    right = _OPPOSITE[right] if left else right
    return {"top": _OPPOSITE[bottom], "bottom": bottom, "left": _OPPOSITE[right], "right": right}
