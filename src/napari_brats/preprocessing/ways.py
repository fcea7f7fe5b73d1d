"""What every preprocessing step is made of: arrays, affines and the way there and back.

A step's ``apply`` takes a volume of shape (C, X, Y, Z), float32, with its affine (4, 4,
voxel to patient millimeters) and gives the new volume, its affine and a `Way`: the same
geometry for masks (``there``) and for predictions (``back``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Affine = NDArray[np.float64]
Transform = Callable[[Array], Array]


def same(array: Array) -> Array:
    """Return the array itself: the way of steps that move nothing."""
    return array


@dataclass(frozen=True)
class Way:
    """The geometry of one or more steps, there and back.

    Both functions take and give arrays of shape (K, X, Y, Z), float32, any number of
    channels K, without touching intensities. ``back(there(mask))`` has the shape of
    ``mask``; voxels that the steps cut away come back as 0. ``notes`` are one-line remarks
    for people, such as tissue lost to a fixed crop.
    """

    there: Transform = same
    back: Transform = same
    notes: tuple[str, ...] = ()


def chain(ways: Sequence[Way]) -> Way:
    """Join the ways of consecutive steps into one."""

    def there(array: Array) -> Array:
        for way in ways:
            array = way.there(array)
        return array

    def back(array: Array) -> Array:
        for way in reversed(ways):
            array = way.back(array)
        return array

    return Way(there, back, tuple(note for way in ways for note in way.notes))


class Step(Protocol):
    """One step of a recipe."""

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the changed volume, its affine and the way back."""
        ...
