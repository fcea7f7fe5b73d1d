"""CONTRASTS: how bright each tissue is in each modality; `paint` draws one image from it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from napari_brats.synthesis.anatomy import CLASSES
from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.fields import Field, fractal_noise
from napari_brats.synthesis.tumor import PARTS, Growth

Range = tuple[float, float]
Contrasts = Mapping[str, Mapping[str, Range]]

CONTRASTS: Contrasts = {
    "t1": {
        "csf": (0.3, 0.5),
        "ventricle": (0.24, 0.38),
        "choroid": (0.4, 0.7),
        "cortex": (0.62, 0.96),
        "deep": (0.75, 0.95),
        "stem": (0.88, 1.0),
        "edema": (0.6, 0.88),
        "necrosis": (0.4, 0.7),
        "enhancing": (0.55, 0.82),
        "nonenhancing": (0.5, 0.8),
    },
    "t1ce": {
        "csf": (0.35, 0.6),
        "ventricle": (0.24, 0.38),
        "choroid": (0.8, 1.6),
        "cortex": (0.7, 1.05),
        "deep": (0.78, 0.98),
        "stem": (0.88, 1.0),
        "edema": (0.6, 0.9),
        "necrosis": (0.4, 0.75),
        "enhancing": (0.8, 2.2),
        "nonenhancing": (0.5, 0.88),
    },
    "t2": {
        "csf": (1.8, 3.4),
        "ventricle": (2.2, 4.0),
        "choroid": (1.6, 3.0),
        "cortex": (1.15, 1.6),
        "deep": (1.0, 1.35),
        "stem": (0.95, 1.15),
        "edema": (1.5, 2.3),
        "necrosis": (1.4, 2.6),
        "enhancing": (1.2, 2.0),
        "nonenhancing": (1.5, 2.5),
    },
    "flair": {
        "csf": (0.35, 0.75),
        "ventricle": (0.2, 0.5),
        "choroid": (0.6, 1.2),
        "cortex": (1.05, 1.4),
        "deep": (1.0, 1.3),
        "stem": (0.95, 1.2),
        "edema": (1.45, 2.3),
        "necrosis": (0.7, 2.0),
        "enhancing": (1.15, 1.9),
        "nonenhancing": (1.3, 2.2),
    },
}
"""Mean intensity of each tissue, as ranges to draw from; white matter is 1."""

COVER: Mapping[str, float] = {
    "edema": 0.8, "nonenhancing": 1.0, "necrosis": 1.0, "enhancing": 1.0,
}  # fmt: skip
"""How far each part of a tumor hides the tissue beneath it."""


def draw_means(
    rng: np.random.Generator, modality: str, contrasts: Contrasts = CONTRASTS
) -> dict[str, float]:
    """Draw the brightness of each tissue in one modality; white matter is 1."""
    spread = rng.uniform(0.02, 0.12)
    means = {
        name: float(rng.uniform(*bounds) * np.exp(spread * rng.standard_normal()))
        for name, bounds in contrasts[modality].items()
    }
    return {**means, "white": 1.0}


def paint(
    rng: np.random.Generator,
    modality: str,
    brain: Brain,
    growth: Growth,
    extras: Mapping[str, tuple[NDArray[np.float32], Mapping[str, Range]]],
    contrasts: Contrasts = CONTRASTS,
) -> Field:
    """Paint what a perfect scanner would see, shape (X, Y, Z), white matter about 1.

    Parameters
    ----------
    rng : np.random.Generator
        Source of randomness.
    modality : str
        Row of `CONTRASTS`.
    brain : Brain
        The tissues.
    growth : Growth
        The tumor.
    extras : Mapping
        Distractors, as `distractors.draw_distractors` gives them.
    contrasts : Mapping
        Ranges to draw from, as in `CONTRASTS`: another table is another scanner.
    """
    means = draw_means(rng, modality, contrasts)
    image = np.zeros(brain.shape)
    for name in CLASSES:
        image += means[name] * brain.share(name)
    for mask, brightness in extras.values():
        image += mask * (rng.uniform(*brightness[modality]) - image)
    image *= 1 + rng.uniform(0.01, 0.05) * fractal_noise(rng, brain.shape, brain.spacing_mm, 8, 2)
    grain = rng.uniform(0.03, 0.2) * fractal_noise(rng, brain.shape, brain.spacing_mm, 9.0)
    for name, part in zip(PARTS, growth.parts, strict=True):
        if part.any():
            image += COVER[name] * part * (means[name] * (1 + COVER[name] * grain) - image)
    return image
