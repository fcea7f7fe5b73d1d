"""Augmentation of training samples, from MONAI's transforms."""

from typing import Any

import monai.transforms as mt
import numpy as np
import torch
from torch import nn


class RandLocalShift(mt.RandomizableTransform):  # type: ignore[misc]
    """Add a smooth random field to each channel: the same tissue is dark here and bright there.

    What enhances is then bright beside its surroundings rather than beside the brain's mean,
    as where the coil's sensitivity falls off or healthy tissue takes up contrast agent too.

    Parameters
    ----------
    knots : int
        Side of the coarse grid of normal numbers that the field interpolates.
    std : float
        The largest standard deviation of the field, in z-scores; drawn uniformly from 0.
    prob : float
        How often, each channel apart.
    """

    def __init__(self, knots: int, std: float, prob: float) -> None:
        super().__init__(prob)
        self.knots = knots
        self.std = std

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Shift images, (C, X, Y, Z)."""
        grid = np.zeros((1, len(images), *[self.knots] * 3), np.float32)
        for channel in grid[0]:
            self.randomize(None)
            if self._do_transform:
                channel += self.R.uniform(0, self.std) * self.R.standard_normal(channel.shape)
        field = nn.functional.interpolate(
            torch.from_numpy(grid), images.shape[1:], mode="trilinear", align_corners=True
        )
        return images + field[0]


class KeepBackground(mt.Randomizable, mt.MapTransform):  # type: ignore[misc]
    """Apply a random transform to the brain and set what was 0 in all channels back to 0."""

    def __init__(self, transform: mt.Compose) -> None:
        mt.MapTransform.__init__(self, ["images"])
        self.transform = transform

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> "KeepBackground":
        """Pass the seed on; MONAI seeds only what it knows to be random."""
        self.transform.set_random_state(seed, state)
        return self

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Transform ``data["images"]``, (C, X, Y, Z)."""
        images = data["images"]
        brain = (images != 0).any(dim=0, keepdim=True)
        return {**data, "images": self.transform(images) * brain}


class RandDropModality(mt.RandomizableTransform):  # type: ignore[misc]
    """Set one channel to 0, as where a modality is missing."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Drop at most one channel of images, (C, X, Y, Z)."""
        self.randomize(None)
        if not self._do_transform:
            return images
        dropped = images.clone()
        dropped[self.R.randint(len(images))] = 0
        return dropped


def augmentation(crop: tuple[int, int, int], seed: int, drop_modality: float = 0.0) -> mt.Compose:
    """Return the chain: affine and crop, flips, then intensities of the brain.

    Parameters
    ----------
    crop : tuple of int
        Voxels (X, Y, Z) that come out.
    seed : int
        Decides every draw.
    drop_modality : float
        Probability that one modality is missing.

    Returns
    -------
    monai.transforms.Compose
        Takes and gives ``{"images": (C, X, Y, Z), "tissues": (1, X, Y, Z)}``, float32.
    """
    both = ["images", "tissues"]
    intensity = mt.Compose(
        [
            # A large tumor moves the brain's mean and spread, and so the z-scores of all tissues.
            mt.RandScaleIntensity(0.35, prob=0.8, channel_wise=True),
            mt.RandShiftIntensity(0.6, prob=0.8, channel_wise=True),
            RandLocalShift(knots=4, std=0.8, prob=0.7),
            mt.RandAdjustContrast(prob=0.3, gamma=(0.65, 1.5), retain_stats=True),
            mt.RandGaussianSmooth((0.4, 0.9), (0.4, 0.9), (0.4, 0.9), prob=0.15),
            mt.RandSimulateLowResolution(prob=0.1, zoom_range=(0.5, 1.0)),
            mt.RandGaussianNoise(prob=0.3, std=0.15),
            RandDropModality(drop_modality),
        ]
    )
    chain = mt.Compose(
        [
            mt.ToTensord(both, track_meta=True, dtype=torch.float32),
            mt.RandAffined(
                both,
                prob=0.7,
                rotate_range=[0.35] * 3,
                scale_range=[(-0.2, 0.2)] * 3,
                spatial_size=crop,
                mode=("bilinear", "nearest"),
                padding_mode="zeros",
            ),
            mt.RandFlipd(both, prob=0.5, spatial_axis=0),
            KeepBackground(intensity),
        ]
    )
    return chain.set_random_state(seed)
