"""Synthetic patients for training: made once into the cache, or anew for every sample."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np

from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import Recipe
from napari_brats.preprocessing.steps import Resample
from napari_brats.synthesis import Anatomy, load_anatomy, make_patient
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import Sample, cached_path, prepared_sample
from napari_brats.training.stream import Pool, Source

_SAMPLES_A_BRAIN = 64


def synthetic_source(
    config: TrainConfig, recipe: Recipe, cache: Path, on_notice: Callable[[str], None]
) -> Source | None:
    """Return where synthetic samples come from; None without ``config.anatomy``.

    Raises
    ------
    CaseError
        If the anatomy folder holds no NIfTI map.
    """
    if config.anatomy is None or not config.synthetic_share:
        return None
    maps = sorted(config.anatomy.glob("*.nii*"))
    if not maps:
        raise CaseError(
            f"no brain maps (*.nii, *.nii.gz) in {str(config.anatomy)!r}; "
            "give --anatomy a folder of FreeSurfer-style label maps"
        )
    if not config.synthetic_cases:
        return Fresh(maps, recipe)
    return Pool(make_synthetic(config, maps, recipe, cache, on_notice))


class Fresh:
    """Makes a new patient for every sample, in the process that asks.

    Parameters
    ----------
    maps : list of Path
        Brain maps; one serves for 64 consecutive numbers, since reading it takes longest.
    recipe : Recipe
        What the samples are prepared with.
    """

    def __init__(self, maps: list[Path], recipe: Recipe) -> None:
        self.maps, self.recipe = maps, recipe

    def __call__(self, number: int, rng: np.random.Generator) -> Sample:
        """Make a patient."""
        anatomy = _anatomy(self.maps[number // _SAMPLES_A_BRAIN % len(self.maps)])
        seed = int(rng.integers(2**62))
        return _made(anatomy, seed, self.recipe)


def make_synthetic(
    config: TrainConfig,
    maps: list[Path],
    recipe: Recipe,
    cache: Path,
    on_notice: Callable[[str], None],
) -> list[Path]:
    """Return the cached samples of ``config.synthetic_cases`` patients, making what lacks.

    Patient number n has the seed ``config.seed * 100,000 + n`` and the brain n modulo the
    number of maps, so that a cache can grow without changing what is there.
    """
    seeds = [config.seed * 100_000 + number for number in range(config.synthetic_cases)]
    paths = [
        cached_path(cache, f"synthetic-{seed:08d}", [maps[number % len(maps)]], recipe)
        for number, seed in enumerate(seeds)
    ]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    if missing:
        on_notice(f"making {len(missing)} synthetic patients")
    with ProcessPoolExecutor() as pool:
        jobs = []
        for first, brain in enumerate(maps):
            wanted = [(seeds[n], paths[n]) for n in missing if n % len(maps) == first]
            if wanted:
                jobs.append(pool.submit(_make_from, brain, wanted, recipe))
        for job in jobs:
            job.result()
    return paths


def _spacing(recipe: Recipe) -> float:
    return next((step.spacing_mm for step in recipe.steps if isinstance(step, Resample)), 1.0)


def _make_from(brain: Path, wanted: list[tuple[int, Path]], recipe: Recipe) -> None:
    """Make the patients of one brain map: reading it takes longer than making one patient."""
    anatomy = load_anatomy(brain)
    for seed, path in wanted:
        _made(anatomy, seed, recipe).save(path)


def _made(anatomy: Anatomy, seed: int, recipe: Recipe) -> Sample:
    patient = make_patient(anatomy, seed, spacing_mm=_spacing(recipe))
    return prepared_sample(recipe, patient.images, patient.tissues, patient.affine)


@lru_cache(maxsize=1)
def _anatomy(path: Path) -> Anatomy:
    return load_anatomy(path)
