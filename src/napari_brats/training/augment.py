"""Augmentation of training samples, from MONAI's transforms."""

from collections.abc import Sequence
from typing import Any

import monai.transforms as mt
import numpy as np
import torch
from monai.networks.layers import GaussianFilter
from numpy.typing import NDArray
from torch import nn

from napari_brats.training.stream import brain_of

_LEAST_SPREAD = 1e-6


class RandBrightness(mt.RandomizableTransform, mt.MapTransform):  # type: ignore[misc]
    """Change gain, offset and a smooth local offset of each channel.

    A large tumor moves the brain's mean and spread, and so the z-scores of all tissues; a coil
    makes the same tissue dark here and bright there. What enhances is then bright beside its
    surroundings, or brighter than without contrast agent: T1 and T1ce change nearly together.

    Parameters
    ----------
    together : tuple of int
        Channels that share their draws but for a quarter of their own.
    gain, shift : float
        Largest relative change, and largest offset in z-scores.
    field : float
        Largest standard deviation of the smooth field, in z-scores; drawn uniformly from 0.
    knots : int
        Side of the coarse grid of normal numbers that the field interpolates.
    """

    def __init__(
        self, together: tuple[int, ...], gain: float, shift: float, field: float, knots: int = 4
    ) -> None:
        mt.MapTransform.__init__(self, ["images"])
        mt.RandomizableTransform.__init__(self, 0.8)
        self.together, self.gain, self.shift, self.field = together, gain, shift, field
        self.knots = knots

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change ``data["images"]``, (C, X, Y, Z)."""
        images = data["images"]
        common = self._draw()
        gains, grids = [], []
        for channel in range(len(images)):
            own = self._draw()
            if channel in self.together:
                own = common[0] + own[0] / 4, common[1] + own[1] / 4
            gains.append(own[0])
            grids.append(own[1])
        offset = nn.functional.interpolate(
            torch.from_numpy(np.stack(grids)).to(images)[None],
            images.shape[1:],
            mode="trilinear",
            align_corners=True,
        )[0]
        factor = 1 + images.new_tensor(gains)[:, None, None, None]
        return {**data, "images": images * factor + offset}

    def _draw(self) -> tuple[float, NDArray[np.float64]]:
        """Return a change of gain and a grid of offsets."""
        gain, grid = 0.0, np.zeros([self.knots] * 3)
        self.randomize(None)
        if self._do_transform:
            gain = self.R.uniform(-self.gain, self.gain)
        self.randomize(None)
        if self._do_transform:
            grid += self.R.uniform(-self.shift, self.shift)
        self.randomize(None)
        if self._do_transform:
            grid += self.R.uniform(0, self.field) * self.R.standard_normal(grid.shape)
        return gain, grid


class OnBrain(mt.Randomizable, mt.MapTransform):  # type: ignore[misc]
    """Apply a random change of intensities to the brain, as z-scores, with 0 around it.

    Voxels outside the brain keep what they hold.

    Parameters
    ----------
    transform : Randomizable
        Takes and gives ``{"images": (C, X, Y, Z), ...}``.
    background : float
        The recipe's.
    scored : bool
        Images are z-scores already; else they are made such within the sample, and the result
        is brought back.
    """

    def __init__(self, transform: mt.Randomizable, background: float, *, scored: bool) -> None:
        mt.MapTransform.__init__(self, ["images"])
        self.transform, self.background, self.scored = transform, background, scored

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> "OnBrain":
        """Pass the seed on; MONAI seeds only what it knows to be random."""
        self.transform.set_random_state(seed, state)
        return self

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Transform ``data["images"]``, (C, X, Y, Z)."""
        images = data["images"]
        brain = brain_of(images, self.background).any(dim=0, keepdim=True)
        if not brain.any():
            return data
        mean, spread = 0.0, 1.0
        if not self.scored:
            inside = images[:, brain[0]]
            channels = (len(images), 1, 1, 1)
            mean = inside.mean(dim=1).reshape(channels)
            spread = inside.std(dim=1, correction=0).clamp(min=_LEAST_SPREAD).reshape(channels)
        changed = self.transform({**data, "images": (images - mean) / spread * brain})["images"]
        return {**data, "images": torch.where(brain, changed * spread + mean, images)}


class RandLesionBrightness(mt.RandomizableTransform, mt.MapTransform):  # type: ignore[misc]
    """Change offset and contrast of each channel inside the tumor, with a soft border.

    How bright a tumor is beside healthy brain differs between scanners, sequences and doses of
    contrast agent; what tells its tissues apart is how they differ from each other and between
    the modalities.

    Parameters
    ----------
    prob : float
        How often anything changes.
    shift : float
        Standard deviation of a channel's offset, in z-scores.
    contrast : tuple of float
        Range of the factor on a channel's differences from its mean in the tumor.
    border : tuple of float
        Standard deviation of the border's blur along X, Y and Z, in voxels.
    """

    def __init__(
        self,
        prob: float,
        shift: float,
        contrast: tuple[float, float],
        border: tuple[float, float, float] = (1.5, 1.5, 1.5),
    ) -> None:
        mt.MapTransform.__init__(self, ["images"])
        mt.RandomizableTransform.__init__(self, prob)
        self.shift, self.contrast = shift, contrast
        self.blur = GaussianFilter(3, border)

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change ``data["images"]``, (C, X, Y, Z), where most of a voxel is tumor."""
        self.randomize(None)
        inside = torch.as_tensor(data["regions"])[0] > 0.5
        if not self._do_transform or not inside.any():
            return data
        images = data["images"]
        channels = (len(images), 1, 1, 1)
        shift = images.new_tensor(self.R.normal(0, self.shift, channels))
        factor = images.new_tensor(self.R.uniform(*self.contrast, channels))
        mean = images[:, inside].mean(dim=1).reshape(channels)
        share = self.blur(inside.float()[None, None])[0]
        return {**data, "images": images + share * (shift + (factor - 1) * (images - mean))}


class RandDropModality(mt.RandomizableTransform, mt.MapTransform):  # type: ignore[misc]
    """Set one channel to the background, as `prepare` does where a modality is missing."""

    def __init__(self, prob: float, background: float = 0.0) -> None:
        mt.MapTransform.__init__(self, ["images"])
        mt.RandomizableTransform.__init__(self, prob)
        self.background = background

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Drop at most one channel of ``data["images"]``, (C, X, Y, Z)."""
        self.randomize(None)
        if not self._do_transform:
            return data
        dropped = data["images"].clone()
        dropped[self.R.randint(len(dropped))] = self.background
        return {**data, "images": dropped}


def augmentation(
    crop: tuple[int, int, int],
    seed: int,
    kinds: Sequence[str] = ("affine", "elastic", "flip-0", "lesion", "intensity"),
    *,
    together: tuple[int, ...] = (),
    drop_modality: float = 0.0,
    background: float = 0.0,
    scored: bool = True,
) -> mt.Compose:
    """Return the chain of some kinds of augmentation.

    Parameters
    ----------
    crop : tuple of int
        Voxels (X, Y, Z) that come out.
    seed : int
        Decides every draw.
    kinds : sequence of str
        Rows of `AUGMENTATIONS`, in order; without ``"affine"`` samples must have the crop's size.
    together : tuple of int
        Channels whose brightness changes nearly together: T1 and T1ce.
    drop_modality : float
        Probability that one modality is missing.
    background : float
        The recipe's: it fills corners, and a missing modality everywhere.
    scored : bool
        The recipe gives z-scores, in which changes of intensity are measured.

    Returns
    -------
    monai.transforms.Compose
        Takes and gives ``{"images": (C, X, Y, Z), "regions": (3, X, Y, Z)}``, float32.
    """
    both = ["images", "regions"]
    # A slice that is turned out of its plane or gets thicker would show next to nothing, and
    # one that is blurred through its plane would fade.
    through = 0.0 if crop[2] == 1 else 1.0
    made = {
        "affine": _over(
            background,
            mt.RandAffined(
                both,
                prob=0.7,
                rotate_range=[through * 0.35, through * 0.35, 0.35],
                scale_range=[(-0.2, 0.2), (-0.2, 0.2), (through * -0.2, through * 0.2)],
                spatial_size=crop,
                mode="bilinear",
                padding_mode="zeros",
            ),
        ),
        "elastic": _over(background, _elastic(both, flat=crop[2] == 1)),
        "flip-0": mt.RandFlipd(both, prob=0.5, spatial_axis=0),
        "flip-1": mt.RandFlipd(both, prob=0.5, spatial_axis=1),
        "lesion": OnBrain(
            RandLesionBrightness(0.5, 0.5, (0.6, 1.2), border=(1.5, 1.5, through * 1.5)),
            background,
            scored=scored,
        ),
        "intensity": OnBrain(_intensity(together, through), background, scored=scored),
        "drop": RandDropModality(drop_modality, background),
    }
    first = mt.ToTensord(both, track_meta=True, dtype=torch.float32)
    return mt.Compose([first, *(made[kind] for kind in (*kinds, "drop"))]).set_random_state(seed)


def _over(background: float, moving: mt.Transform) -> mt.Transform:
    """Return a transform that moves voxels and fills with 0 as one that fills with background."""
    if not background:
        return moving
    to_zero = mt.Lambdad("images", lambda images: images - background)
    back = mt.Lambdad("images", lambda images: images + background)
    return mt.Compose([to_zero, moving, back])


def _elastic(both: list[str], *, flat: bool) -> mt.OneOf:
    """Return smooth deformations of a voxel or two; those of one slice stay in its plane."""
    how = {"prob": 1.0, "mode": "bilinear", "padding_mode": "zeros"}
    if flat:
        bent = mt.Compose(
            [
                mt.SqueezeDimd(both, dim=3, update_meta=False),
                mt.Rand2DElasticd(both, spacing=(16, 16), magnitude_range=(0.5, 2), **how),
                mt.Lambdad(both, lambda slices: slices[..., None]),
            ]
        )
    else:
        # Smoothing over five to eight voxels leaves a fiftieth of the noise's size.
        bent = mt.Rand3DElasticd(both, sigma_range=(5, 8), magnitude_range=(30, 100), **how)
    return mt.OneOf([bent, mt.Identityd(both)], weights=(0.1, 0.9))


def _intensity(together: tuple[int, ...], through: float) -> mt.Compose:
    blurs = [(0.4, 0.9), (0.4, 0.9), (through * 0.4, through * 0.9)]
    return mt.Compose(
        [
            RandBrightness(together, gain=0.35, shift=0.6, field=0.8),
            mt.RandAdjustContrastd("images", prob=0.3, gamma=(0.65, 1.5), retain_stats=True),
            mt.RandGaussianSmoothd("images", *blurs, prob=0.15),
            # Means of voxels: taking one of several would move images against regions.
            mt.RandSimulateLowResolutiond(
                "images", prob=0.1, downsample_mode="area", zoom_range=(0.5, 1.0)
            ),
            mt.RandGaussianNoised("images", prob=0.3, std=0.15),
        ]
    )
