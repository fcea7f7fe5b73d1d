"""Steps that change intensities, one modality at a time; they move no voxel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.preprocessing.ways import Affine, Array, Way


@dataclass(frozen=True)
class ZScore:
    """(v - mean) / SD over the brain (v != 0) of each modality; background stays 0.

    Parameters
    ----------
    clip : tuple of float or None
        Lowest and highest value kept, in SD.
    """

    clip: tuple[float, float] | None = (-4.0, 6.0)

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the normalized volume."""
        out = np.zeros_like(volume, dtype=np.float32)
        for source, target in zip(volume, out, strict=True):
            brain = source != 0
            values = source[brain]
            if values.size:
                spread = float(values.std()) or 1.0
                np.subtract(source, values.mean(), out=target)
                target /= spread
                if self.clip is not None:
                    np.clip(target, *self.clip, out=target)
                target *= brain
        return out, affine, Way()


@dataclass(frozen=True)
class MinMax:
    """(v - min) / (max - min) of each modality, to [0, 1]; what is constant becomes 0.

    Parameters
    ----------
    per_slice : bool
        Scale every axial slice (along Z) by its own minimum and maximum instead of the
        whole volume's.
    """

    per_slice: bool = False

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the scaled volume."""
        axes = (1, 2) if self.per_slice else (1, 2, 3)
        lowest = volume.min(axis=axes, keepdims=True)
        spread = volume.max(axis=axes, keepdims=True) - lowest
        out = volume - lowest
        out /= np.where(spread > 0, spread, np.float32(1))
        return out, affine, Way()


@dataclass(frozen=True)
class ByteRange:
    """Mean to 127 and mean +- 3 SD to the ends of 0 ... 255, in whole steps, then / 255.

    Mean and SD of each modality over v > 0; other voxels become 0. The values are truncated
    to 8 bits as in the PNG slices that DR-Unet104 was trained on.
    """

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the volume in [0, 1], in steps of 1/255."""
        out = np.zeros_like(volume, dtype=np.float32)
        for source, target in zip(volume, out, strict=True):
            brain = source > 0
            values = source[brain]
            if values.size:
                spread = float(values.std(dtype=np.float64)) or 1.0
                scaled = (values - values.mean(dtype=np.float64)) / (3 * spread / 128) + 127
                target[brain] = np.trunc(np.clip(scaled, 0, 255)) / 255
        return out, affine, Way()


@dataclass(frozen=True)
class SlicePercentiles:
    """Each axial slice: clip to percentiles, z-score over v != 0, background to a constant.

    Percentiles are those of the whole slice, zeros included; every pixel at the slice's
    minimum then becomes ``background``. A slice that is constant, or constant where it is
    not zero, is only clipped (an empty slice stays 0), as in Kermi's code.

    Parameters
    ----------
    low, high : float
        Percentiles kept.
    background : float
        Value of the pixels at the slice's minimum.
    """

    low: float = 1.0
    high: float = 99.0
    background: float = -9.0

    def apply(self, volume: Array, affine: Affine) -> tuple[Array, Affine, Way]:
        """Return the normalized volume."""
        out = np.zeros_like(volume, dtype=np.float32)
        for source, target in zip(volume, out, strict=True):
            for z in np.flatnonzero(source.any(axis=(0, 1))):
                target[..., z] = self._slice(np.ascontiguousarray(source[..., z]))
        return out, affine, Way()

    def _slice(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        image = np.clip(image, *np.percentile(image, (self.low, self.high)).astype(np.float32))
        brain = image[image != 0]
        if not brain.size or not image.std() or not brain.std():
            return image
        scored: NDArray[np.float32] = (image - brain.mean()) / brain.std()
        scored[scored == scored.min()] = self.background
        return scored
