"""Synthetic patients for training, made once into the cache by several processes."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import Recipe
from napari_brats.preprocessing.steps import Resample
from napari_brats.synthesis import load_anatomy, make_patient
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import cached_path, prepared_sample


def make_synthetic(
    config: TrainConfig, recipe: Recipe, cache: Path, on_notice: Callable[[str], None]
) -> list[Path]:
    """Return the cached samples of ``config.synthetic_cases`` patients, making what lacks.

    Patient number n has the seed ``config.seed * 100,000 + n`` and the brain n modulo the
    number of maps, so that a cache can grow without changing what is there.

    Raises
    ------
    CaseError
        If synthetic patients are wanted and the anatomy folder holds no NIfTI map.
    """
    if not config.synthetic_cases:
        return []
    maps = sorted(config.anatomy.glob("*.nii*")) if config.anatomy else []
    if not maps:
        raise CaseError(
            f"no brain maps (*.nii, *.nii.gz) in {str(config.anatomy)!r}; "
            "give --anatomy a folder of FreeSurfer-style label maps"
        )
    seeds = [config.seed * 100_000 + number for number in range(config.synthetic_cases)]
    paths = [
        cached_path(cache, f"synthetic-{seed:08d}", maps[number % len(maps)], recipe)
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
        patient = make_patient(anatomy, seed, spacing_mm=_spacing(recipe))
        prepared_sample(recipe, patient.images, patient.tissues, patient.affine).save(path)
