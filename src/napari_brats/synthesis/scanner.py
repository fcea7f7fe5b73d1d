"""What a scanner and the usual processing add: bias field, blur, noise, gamma, a scale."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.fields import Field, smooth_noise

BIAS = (0.0, 0.12)
BIAS_LENGTH_MM = 90.0
BLUR_MM = (0.2, 0.7)
THICK_SLICES = 0.6
THICK_BLUR_MM = (0.8, 2.2)
NOISE = (0.005, 0.035)
GAMMA = (0.8, 1.25)
SCALE = (250.0, 700.0)
"""Intensity of white matter; each modality draws its own."""

_DARKEST = 0.02
_NOISE_BLUR = 0.45
# What a blur of 0.45 voxels leaves of white noise, so that NOISE is the final deviation.
_NOISE_GAIN = 1.6


def scan(rng: np.random.Generator, image: Field, brain: Brain) -> NDArray[np.float32]:
    """Turn a perfect image into a plausible skull-stripped scan.

    Parameters
    ----------
    rng : np.random.Generator
        Source of randomness.
    image : NDArray[np.float64], shape (X, Y, Z)
        White matter about 1; overwritten.
    brain : Brain
        Outside its mask the scan is exactly 0, inside always above 0.
    """
    spacing = np.array(brain.spacing_mm)
    bias = smooth_noise(rng, brain.shape, brain.spacing_mm, BIAS_LENGTH_MM)
    image *= np.exp(rng.uniform(*BIAS) * bias)
    blur_mm = np.full(3, rng.uniform(*BLUR_MM))
    if rng.random() < THICK_SLICES:
        # Most clinical series are axial.
        blur_mm[rng.choice(3, p=(0.15, 0.15, 0.7))] = rng.uniform(*THICK_BLUR_MM)
    image = ndimage.gaussian_filter(image, blur_mm / spacing, truncate=3)
    noise = ndimage.gaussian_filter(rng.standard_normal(brain.shape), _NOISE_BLUR)
    image += rng.uniform(*NOISE) * _NOISE_GAIN * noise
    image = np.maximum(image, _DARKEST) ** rng.uniform(*GAMMA)
    return (image * rng.uniform(*SCALE) * brain.mask).astype(np.float32)
