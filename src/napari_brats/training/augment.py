"""Augmentation of training samples, from MONAI's transforms."""

from typing import Any

import monai.transforms as mt
import numpy as np
import torch


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


def augmentation(crop: tuple[int, int, int], seed: int) -> mt.Compose:
    """Return the chain: affine and crop, flips, then intensities of the brain.

    Parameters
    ----------
    crop : tuple of int
        Voxels (X, Y, Z) that come out.
    seed : int
        Decides every draw.

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
            mt.RandAdjustContrast(prob=0.3, gamma=(0.65, 1.5), retain_stats=True),
            mt.RandGaussianSmooth((0.4, 0.9), (0.4, 0.9), (0.4, 0.9), prob=0.15),
            mt.RandGaussianNoise(prob=0.3, std=0.15),
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
