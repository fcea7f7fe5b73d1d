"""Smooth random fields, made cheaply from coarse grids."""

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]


def spline_weights(size: int, step: float) -> Field:
    """Return cubic B-spline weights of shape (size, knots) for knots every ``step`` voxels.

    Rows are scaled to unit sum of squares, so that independent unit-variance knots give a
    field of unit variance.
    """
    position = np.arange(size) / step + 1
    knots = int(np.ceil((size - 1) / step)) + 4
    t = np.abs(position[:, None] - np.arange(knots)[None])
    weights = np.where(
        t < 1, 2 / 3 - t**2 + t**3 / 2, np.where(t < 2, (2 - np.minimum(t, 2)) ** 3 / 6, 0.0)
    )
    scaled: Field = weights / np.sqrt((weights**2).sum(1, keepdims=True))
    return scaled


def smooth_noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    length_mm: float,
) -> Field:
    """Return a zero-mean, unit-variance random field of shape (X, Y, Z).

    Parameters
    ----------
    rng : np.random.Generator
        Source of randomness.
    shape, spacing_mm : tuple
        Grid.
    length_mm : float
        Distance over which the field changes (spacing of the spline's knots).
    """
    steps = [max(length_mm / spacing, 1.0) for spacing in spacing_mm]
    weights = [spline_weights(size, step) for size, step in zip(shape, steps, strict=True)]
    knots = rng.standard_normal([matrix.shape[1] for matrix in weights])
    out = knots
    for matrix in weights:
        # Each product consumes the first axis and appends the fine one: after three, X Y Z.
        out = np.tensordot(out, matrix, axes=(0, 1))
    result: Field = out
    return result


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    length_mm: float,
    octaves: int = 3,
) -> Field:
    """Return smooth noise summed over halving lengths with halving weights, unit variance."""
    total = np.zeros(shape)
    for octave in range(octaves):
        total += smooth_noise(rng, shape, spacing_mm, length_mm / 2**octave) / 2**octave
    total /= np.sqrt(sum(0.25**octave for octave in range(octaves)))
    return total
