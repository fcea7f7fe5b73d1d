"""DISTRACTORS: what looks like disease and is not labeled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.fields import Field, fractal_noise, smooth_noise

Range = tuple[float, float]


def hyperintensities(rng: np.random.Generator, brain: Brain) -> Field:
    """Return spots in the white matter, most of them near the ventricles."""
    spacing = brain.spacing_mm
    reach = rng.uniform(2, 5)
    near = ndimage.gaussian_filter(brain.share("ventricle"), [reach / step for step in spacing])
    spots = fractal_noise(rng, brain.shape, spacing, rng.uniform(6, 14), 2)
    level = rng.uniform(1.2, 2.0) - 6 * near
    out: Field = brain.share("white") * _step(3 * (spots - level))
    return out


def vessels(rng: np.random.Generator, brain: Brain) -> Field:
    """Return tubes in sulci and cortex: the lines where two smooth fields are both zero."""
    first, second = (smooth_noise(rng, brain.shape, brain.spacing_mm, 11.0) for _ in range(2))
    tubes = np.exp(-(first**2 + second**2) / rng.uniform(0.12, 0.3) ** 2)
    out: Field = tubes * np.clip(3 * brain.share("csf") + brain.share("cortex"), 0, 1)
    return out


def dura(rng: np.random.Generator, brain: Brain) -> Field:
    """Return patches of a thin layer on the brain's surface, left by skull stripping."""
    layers = max(1, round(1.5 / min(brain.spacing_mm)))
    skin = brain.mask & ~ndimage.binary_erosion(brain.mask, iterations=layers)
    patch = fractal_noise(rng, brain.shape, brain.spacing_mm, 20.0, 2)
    out: Field = skin * _step(4 * (patch - rng.uniform(0, 1.2)))
    return out


@dataclass(frozen=True)
class Distractor:
    """One row of `DISTRACTORS`.

    Parameters
    ----------
    frequency : float
        Share of patients that have it.
    draw : Callable
        Gives its soft mask, shape (X, Y, Z), 0-1.
    brightness : Mapping[str, (low, high)]
        Per modality; white matter is 1.
    """

    frequency: float
    draw: Callable[[np.random.Generator, Brain], Field]
    brightness: Mapping[str, Range]


DISTRACTORS: Mapping[str, Distractor] = {
    "hyperintensities": Distractor(
        0.45,
        hyperintensities,
        {"t1": (0.8, 1.0), "t1ce": (0.8, 1.0), "t2": (1.3, 1.9), "flair": (1.3, 2.1)},
    ),
    "vessels": Distractor(
        0.75,
        vessels,
        {"t1": (0.6, 1.0), "t1ce": (1.3, 2.4), "t2": (0.5, 1.0), "flair": (0.7, 1.1)},
    ),
    "dura": Distractor(
        0.6,
        dura,
        {"t1": (0.6, 1.0), "t1ce": (1.1, 2.0), "t2": (0.5, 1.2), "flair": (0.8, 1.3)},
    ),
}


def draw_distractors(
    rng: np.random.Generator, brain: Brain
) -> dict[str, tuple[NDArray[np.float32], Mapping[str, Range]]]:
    """Draw which distractors a brain has: soft mask (X, Y, Z) and brightness of each."""
    return {
        name: (row.draw(rng, brain).astype(np.float32), row.brightness)
        for name, row in DISTRACTORS.items()
        if rng.random() < row.frequency
    }


def _step(x: Field) -> Field:
    return 0.5 * (1 + np.tanh(x))
