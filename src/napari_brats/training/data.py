"""Training samples: patients preprocessed once into a cache, then cropped and augmented."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from napari_brats.case import Case, require_modalities
from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import Recipe, prepare
from napari_brats.regions import REGIONS, region_mask, tissues_from_regions

REGION_NAMES = tuple(REGIONS)


@dataclass(frozen=True)
class Sample:
    """A patient on a recipe's grid.

    ``images`` is float16 (C, X, Y, Z) in the recipe's channel order; ``tissues`` is uint8
    (X, Y, Z), `Tissue` codes.
    """

    images: NDArray[np.float16]
    tissues: NDArray[np.uint8]

    @classmethod
    def load(cls, path: Path) -> "Sample":
        """Read a file that `save` wrote."""
        with np.load(path) as stored:
            return cls(stored["images"], stored["tissues"])

    def save(self, path: Path) -> None:
        """Write to an uncompressed npz file, in one piece."""
        partial = path.with_name(path.stem + ".part.npz")
        np.savez(partial, images=self.images, tissues=self.tissues)
        partial.replace(path)


def sample_of(case: Case, recipe: Recipe) -> Sample:
    """Preprocess a case with its reference.

    Raises
    ------
    CaseError
        If the case has no reference or lacks a modality of the recipe.
    """
    if case.reference is None:
        raise CaseError(
            f"{case.case_id!r} has no reference mask and training needs one; "
            "add it or leave the case out"
        )
    require_modalities(case, recipe.modalities, f"recipe {recipe.name!r}")
    return prepared_sample(recipe, case.images, case.reference, case.affine)


def prepared_sample(
    recipe: Recipe,
    images: Mapping[str, NDArray[np.float32]],
    tissues: NDArray[np.uint8],
    affine: NDArray[np.float64],
) -> Sample:
    """Bring images and `Tissue` codes, all (X, Y, Z), to a recipe's grid.

    Regions are resampled, not codes: between two codes there may lie a third.
    """
    prepared = prepare(recipe, images, affine)
    regions = np.stack([region_mask(tissues, name) for name in REGION_NAMES])
    moved = prepared.way.there(regions.astype(np.float32)) > 0.5
    return Sample(prepared.volume.astype(np.float16), tissues_from_regions(moved))


def cached_path(cache: Path, name: str, source: Path, recipe: Recipe) -> Path:
    """Return where a patient made from a source file, on a recipe's grid, lies in the cache."""
    key = hashlib.sha256(f"{source.resolve()}|{recipe}".encode()).hexdigest()[:16]
    return cache / f"{name}-{key}.npz"


class Crops(IterableDataset[tuple[Tensor, Tensor]]):
    """An endless stream of augmented crops, half of them centered on tumor.

    Parameters
    ----------
    real, synthetic : sequence of Path
        Cached samples.
    synthetic_share : float
        Probability of drawing from `synthetic` where both are there.
    crop : tuple of int
        Voxels (X, Y, Z) of what comes out.
    seed : int
        With the worker's number, decides every draw.

    Yields
    ------
    images : Tensor, float32 (C, X, Y, Z)
    regions : Tensor, float32 (3, X, Y, Z)
        WT, TC, ET as 0 or 1.
    """

    def __init__(
        self,
        real: Sequence[Path],
        synthetic: Sequence[Path],
        synthetic_share: float,
        crop: tuple[int, int, int],
        seed: int,
    ) -> None:
        if not real and not synthetic:
            raise CaseError("no training samples; give --data folders, --anatomy, or both")
        self.pools = (list(real), list(synthetic))
        self.share = synthetic_share if real and synthetic else float(bool(synthetic))
        self.crop = crop
        self.seed = seed

    def _sample(self, rng: np.random.Generator) -> Sample:
        pool = self.pools[int(rng.random() < self.share)]
        return Sample.load(pool[rng.integers(len(pool))])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw for ever."""
        from napari_brats.training.augment import augmentation

        info = get_worker_info()
        seed = (self.seed, info.id if info else 0)
        rng = np.random.default_rng(seed)
        augment = augmentation(self.crop, int(rng.integers(2**31)))
        while True:
            sample = self._sample(rng)
            item: dict[str, Any] = loose_crop(sample, self.crop, rng)
            item = augment(item)
            tissues = np.asarray(item["tissues"][0]).astype(np.uint8)
            regions = np.stack([region_mask(tissues, name) for name in REGION_NAMES])
            yield item["images"].as_tensor().float(), torch.from_numpy(regions).float()


def loose_crop(
    sample: Sample, crop: tuple[int, int, int], rng: np.random.Generator, slack: float = 1.3
) -> dict[str, NDArray[np.float32]]:
    """Cut a box ``slack`` times the crop, around a tumor or brain voxel, zero-padded.

    The slack gives a later rotation and scaling something to show at the corners.
    """
    size = np.array([round(side * slack) for side in crop])
    shape = np.array(sample.tissues.shape)
    target = sample.tissues > 0 if rng.random() < 0.5 else sample.images[0] != 0
    where = np.flatnonzero(target)
    if where.size == 0:
        where = np.flatnonzero(sample.images[0] != 0)
    center = np.array(np.unravel_index(where[rng.integers(where.size)], sample.tissues.shape))
    # Stay over the brain: a box that fits is never moved past the volume's faces.
    start = np.clip(center - size // 2, np.minimum(0, shape - size), np.maximum(0, shape - size))
    images = np.zeros((sample.images.shape[0], *size), np.float32)
    tissues = np.zeros((1, *size), np.float32)
    source = tuple(
        slice(max(s, 0), min(s + n, m)) for s, n, m in zip(start, size, shape, strict=True)
    )
    target_box = tuple(
        slice(part.start - s, part.stop - s) for part, s in zip(source, start, strict=True)
    )
    images[(slice(None), *target_box)] = sample.images[(slice(None), *source)]
    tissues[(slice(None), *target_box)] = sample.tissues[source]
    return {"images": images, "tissues": tissues}
