"""`train`: from folders of patients and brain maps to a checkpoint with its card."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_brats.case import load_case
from napari_brats.errors import CaseError, OutputError
from napari_brats.naming import find_patients
from napari_brats.networks.checkpoint import Card, read_card, save_checkpoint
from napari_brats.preprocessing.recipes import Recipe, recipe_named
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import cached_path, sample_of
from napari_brats.training.synthetic import make_synthetic
from napari_brats.training.trainer import Progress, Trainer, write_log

LIMITS = (
    "Research use only: not a medical device and not for decisions about patients.",
    "Trained on skull-stripped, co-registered adult glioma before surgery; resection cavities, "
    "children, metastases and meningioma were never seen.",
    "A tumor without enhancement may get some, and thin or faint enhancement may be missed.",
)
CITATIONS = (
    "Baid et al. 2021, arXiv:2107.02314",
    "Menze et al. 2015, doi:10.1109/TMI.2014.2377694",
    "Bakas et al. 2017, doi:10.1038/sdata.2017.117",
)


def train(config: TrainConfig, *, on_notice: Callable[[str], None] = print) -> Iterator[Progress]:
    """Train a network and keep its averaged weights in ``config.output``.

    Patients are preprocessed into the cache first (and found there the next time). The
    checkpoint is written every ``checkpoint_minutes`` and at the end, the log with it.

    Parameters
    ----------
    config : TrainConfig
        What to train and how.
    on_notice : callable
        Takes one line about what happens outside the optimizer's steps.

    Yields
    ------
    Progress
        Every 25 steps; with the held-out Dice whenever a checkpoint was written.

    Raises
    ------
    CaseError
        If there is nothing to train on.
    OutputError
        If the folders cannot be made.
    TrainingError
        If the crop does not fit the network, or the loss is no number any more.
    """
    if not config.data and not config.synthetic_cases:
        raise CaseError(
            "nothing to train on; give --data folders of patients, or --anatomy and "
            "--synthetic-cases, or both"
        )
    cache = _folders(config)
    recipe = recipe_named(config.recipe)
    real = _cache_patients(config, recipe, cache, on_notice)
    synthetic = make_synthetic(config, recipe, cache, on_notice)
    kept = [real[i] for i in _split(len(real), config)]
    trained_on = [path for path in real if path not in kept]
    trainer = Trainer(config, trained_on, synthetic, kept)
    on_notice(f"training on {len(trained_on)} real and {len(synthetic)} synthetic patients")
    reports: list[Progress] = []
    saved = time.monotonic()
    for report in trainer.run():
        last = report.fraction >= 1
        if last or time.monotonic() - saved > config.checkpoint_minutes * 60:
            saved = time.monotonic()
            report = replace(report, holdout_dice=trainer.holdout_dice())
            card = _card(config, trainer, report, (len(trained_on), len(synthetic)))
            path = config.output / f"{config.model}-{config.size}.safetensors"
            save_checkpoint(trainer.averaged_network(), card, path, half=True)
            write_log(config.output / "log.json", config, [*reports, report])
        reports.append(report)
        yield report


def _folders(config: TrainConfig) -> Path:
    """Make the folders to write to and return the cache."""
    cache = config.cache or config.output / "cache"
    for folder in (config.output, cache):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {str(folder)!r}: {error.strerror}; "
                "give another with --output or --cache"
            ) from error
    return cache


def _cache_patients(
    config: TrainConfig, recipe: Recipe, cache: Path, on_notice: Callable[[str], None]
) -> list[Path]:
    paths = []
    for root in config.data:
        for patient in find_patients(root):
            if patient.reference is None:
                on_notice(f"left out {patient.case_id}: it has no reference mask")
                continue
            # Not the folder: in the Decathlon's all patients lie in one.
            image = next(iter(patient.images.values()))
            path = cached_path(cache, patient.case_id, image, recipe)
            if not path.is_file():
                sample_of(load_case(image), recipe).save(path)
                on_notice(f"preprocessed {patient.case_id}")
            paths.append(path)
    return sorted(set(paths))


def _split(patients: int, config: TrainConfig) -> list[int]:
    """Return the numbers of the held-out patients; at least one stays for training."""
    count = min(config.holdout, max(patients - 1, 0))
    order = np.random.default_rng(config.seed).permutation(patients)
    return sorted(int(i) for i in order[:count])


def started_from(config: TrainConfig) -> dict[str, Any] | None:
    """Return what the weights that a training goes on from had been through."""
    return None if config.start is None else dict(read_card(config.start).training)


def _card(
    config: TrainConfig, trainer: Trainer, report: Progress, patients: tuple[int, int]
) -> Card:
    return Card(
        name=f"{config.model}-{config.size}",
        architecture=config.model,
        size=config.size,
        options=trainer.options,
        recipe=config.recipe,
        modalities=recipe_named(config.recipe).modalities,
        outputs="regions",
        training={
            "started_from": started_from(config),
            "real_patients": patients[0],
            "synthetic_patients": patients[1],
            "synthetic_share": config.synthetic_share,
            "steps": report.step,
            "minutes": round(report.seconds / 60, 1),
            "batch": config.batch,
            "crop": list(config.crop),
            "learning_rate": config.learning_rate,
            "loss": "soft Dice + binary cross-entropy on WT, TC, ET",
            "seed": config.seed,
            "device": str(trainer.device),
            "holdout_dice": report.holdout_dice,
        },
        license="CC BY-NC 4.0; research use only",
        limits=LIMITS,
        citation=CITATIONS,
    )
