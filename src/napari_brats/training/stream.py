"""The endless, repeatable stream of augmented samples that a network is trained on.

Sample number n is a function of the seed and n alone: neither the number of worker
processes nor of devices nor a training that was interrupted changes what comes (but for
rounding: other numbers of threads add in another order).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import Recipe
from napari_brats.preprocessing.steps import SlicePercentiles, ZScore
from napari_brats.training.data import WHOLE, Sample
from napari_brats.training.presets import Preset

_SLACK = 1.3


class Source(Protocol):
    """Where samples come from."""

    def __call__(self, number: int, rng: np.random.Generator) -> Sample:
        """Return the sample that a number and a generator decide."""


class Pool:
    """Draws from cached samples."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)

    def __call__(self, number: int, rng: np.random.Generator) -> Sample:
        """Draw one, whatever the number."""
        return Sample.load(self.paths[rng.integers(len(self.paths))])


class Crops(Dataset[tuple[Tensor, Tensor] | tuple[Tensor, Tensor, int]]):
    """Augmented crops, half of them centered on tumor.

    Parameters
    ----------
    real, synthetic : Source or None
        Where samples come from.
    synthetic_share : float
        Probability of drawing a synthetic sample where there are both kinds.
    crop : tuple of int
        Voxels (X, Y, Z) of what comes out.
    seed : int
        With a sample's number, decides every draw.
    preset : Preset
        Its sampling and augmentation count.
    recipe : Recipe
        What the samples were prepared with.
    drop_modality : float
        Probability that one modality of a sample is missing (the recipe's background everywhere).

    Attributes
    ----------
    later : bool
        Samples come as they were cut, larger than the crop: a GPU augments them faster.
    """

    def __init__(
        self,
        real: Source | None,
        synthetic: Source | None,
        synthetic_share: float,
        crop: tuple[int, int, int],
        seed: int,
        preset: Preset,
        recipe: Recipe,
        drop_modality: float = 0.0,
    ) -> None:
        if real is None and synthetic is None:
            raise CaseError("no training samples; give --data folders, --anatomy, or both")
        self.sources = tuple(source for source in (real, synthetic) if source is not None)
        self.share = synthetic_share
        self.crop = crop
        self.seed = seed
        self.preset = preset
        self.background = recipe.background
        self.scored = any(isinstance(step, ZScore | SlicePercentiles) for step in recipe.steps)
        self.together = tuple(
            channel for channel, name in enumerate(recipe.modalities) if name in ("t1", "t1ce")
        )
        self.drop_modality = drop_modality
        self.later = False

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, int]:
        """Return sample ``number``.

        Returns
        -------
        images : Tensor, float32 (C, X, Y, Z)
        regions : Tensor, float32 (3, X, Y, Z)
            How much of each voxel lies in WT, TC and ET.
        seed : int
            Only with ``later``: what `augment` is still to be called with.
        """
        rng = np.random.default_rng((self.seed, number))
        synthetic = rng.random() < self.share
        source = self.sources[-1 if synthetic else 0]
        seed = int(rng.integers(2**31))
        cut = loose_crop(
            source(number, rng), self.crop, rng,
            slack=_SLACK if "affine" in self.preset.augmentation else 1.0,
            sampling=self.preset.sampling, background=self.background,
        )  # fmt: skip
        images, regions = torch.from_numpy(cut["images"]), torch.from_numpy(cut["regions"])
        if self.later:
            return images, regions, seed
        return self.augment(images, regions, seed)

    def augment(self, images: Tensor, regions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Augment what was cut out, as its seed decides, on the device where it lies."""
        from napari_brats.training.augment import augmentation

        chain = augmentation(
            self.crop, seed, self.preset.augmentation, together=self.together,
            drop_modality=self.drop_modality, background=self.background, scored=self.scored,
        )  # fmt: skip
        item: dict[str, Any] = chain({"images": images, "regions": regions})
        return item["images"].as_tensor().float(), item["regions"].as_tensor().float()


class Consecutive(Sampler[int]):
    """Numbers of the samples of an epoch: consecutive ones, dealt out to the processes.

    Parameters
    ----------
    length : int
        Samples of one process in an epoch.
    done : callable
        Returns how many samples one process has had so far.
    rank, world : int
        Number of this process, and how many there are.
    """

    def __init__(self, length: int, done: Callable[[], int], rank: int, world: int) -> None:
        self.length, self.done, self.rank, self.world = length, done, rank, world

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        first = self.done()
        for number in range(first, first + self.length):
            yield number * self.world + self.rank


def loose_crop(
    sample: Sample,
    crop: tuple[int, int, int],
    rng: np.random.Generator,
    *,
    slack: float = _SLACK,
    sampling: str = "tumor",
    background: float = 0.0,
) -> dict[str, NDArray[np.float32]]:
    """Cut a box ``slack`` times the crop around a voxel that a row of `SAMPLINGS` chooses.

    Padded with background. The slack gives a later rotation and scaling something to show at
    the corners; it is the same at both ends, so that a crop from the middle falls on voxels.
    """
    inner, shape = np.array(crop), np.array(sample.regions.shape[1:])
    spare = np.rint(inner * (slack - 1) / 2).astype(int)
    size = inner + 2 * spare
    center = _draw_center(sample, rng, sampling, background)
    # Stay over the brain: a crop that fits is moved past the volume's faces by the slack at most.
    first, last = np.minimum(0, shape - inner) - spare, np.maximum(0, shape - inner) + spare
    start = np.clip(center - inner // 2, first, last) - spare
    images = np.full((sample.images.shape[0], *size), background, np.float32)
    regions = np.zeros((len(sample.regions), *size), np.float32)
    source = tuple(
        slice(max(s, 0), min(s + n, m)) for s, n, m in zip(start, size, shape, strict=True)
    )
    target_box = tuple(
        slice(part.start - s, part.stop - s) for part, s in zip(source, start, strict=True)
    )
    images[(slice(None), *target_box)] = sample.images[(slice(None), *source)]
    regions[(slice(None), *target_box)] = sample.regions[(slice(None), *source)]
    return {"images": images, "regions": regions / WHOLE}


def brain_of(images: Any, background: float) -> Any:
    """Return where images, an array or a tensor, hold brain.

    Recipes with another background than 0 leave empty slices at 0.
    """
    return (images != background) & (images != 0)


def _draw_center(
    sample: Sample, rng: np.random.Generator, sampling: str, background: float
) -> NDArray[np.intp]:
    """Return a voxel: in the tumor or brain by turns, in the brain, or anywhere."""
    tumor = rng.random() < 0.5 and sampling == "tumor"
    where = np.flatnonzero(sample.regions[0] > WHOLE // 2) if tumor else np.empty(0, np.intp)
    if not where.size and sampling != "whole":
        where = np.flatnonzero(brain_of(sample.images[0], background))
    shape = sample.regions.shape[1:]
    drawn = where[rng.integers(where.size)] if where.size else rng.integers(np.prod(shape))
    return np.array(np.unravel_index(drawn, shape))
