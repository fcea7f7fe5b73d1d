"""What a training begins with: samples, who is held out, and the network."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.errors import OutputError, TrainingError
from napari_brats.networks.card import OUTPUTS
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import create_model, model_spec
from napari_brats.preprocessing.recipes import recipe_named
from napari_brats.regions import Tissue
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import Sample, cache_patients
from napari_brats.training.losses import LOSSES
from napari_brats.training.presets import Preset
from napari_brats.training.settings import preset_of
from napari_brats.training.split import check_split, grade_of, held_out, write_split
from napari_brats.training.stream import Crops, Pool
from napari_brats.training.synthetic import synthetic_source

if TYPE_CHECKING:
    from torch import nn

_CROPS_A_SLICE = {"brain": 3}
_ENDLESS_EPOCH = 250
"""Steps that count as an epoch where every sample is a new synthetic patient."""


@dataclass(frozen=True)
class Material:
    """What a training learns from.

    Parameters
    ----------
    crops : Crops
        The stream of samples.
    real, holdout : list of Path
        Cached patients to train on, and to watch the Dice on.
    epoch_steps : int
        Steps of an epoch as the preset's authors count: each patient or slice once.
    """

    crops: Crops
    real: list[Path]
    holdout: list[Path]
    epoch_steps: int


def prepare(config: TrainConfig, on_notice: Callable[[str], None]) -> Material:
    """Preprocess all patients that are not in the cache, and split them."""
    cache = _folders(config)
    recipe = recipe_named(config.recipe)
    preset = preset_of(config)
    cached = cache_patients(config.data, recipe, cache, on_notice)
    chosen = {path: image for path, image in cached.items() if _has_tumor(path, preset)}
    paths = list(chosen)
    kept = held_out(
        [grade_of(image) for image in chosen.values()],
        holdout=config.holdout, folds=config.folds, fold=config.fold, seed=config.seed,
    )  # fmt: skip
    holdout = [paths[number] for number in kept]
    real = [path for path in paths if path not in holdout]
    (check_split if config.resume else write_split)(config.output, real, holdout)
    synthetic = synthetic_source(config, recipe, cache, on_notice)
    share = config.synthetic_share if synthetic is not None else 0.0
    pool = Pool(real) if real else None
    crops = Crops(
        pool, synthetic, share, config.crop, config.seed, preset, recipe, config.drop_modality,
    )  # fmt: skip
    on_notice(f"training on {len(real)} real patients, {len(holdout)} held out")
    made = synthetic.paths if isinstance(synthetic, Pool) else []
    return Material(crops, real, holdout, _epoch_steps(config, preset, real or made))


def options_of(config: TrainConfig) -> dict[str, Any]:
    """Return the network's constructor arguments: its channels, and what the preset sets."""
    preset = preset_of(config)
    outputs = OUTPUTS[LOSSES[preset.loss].outputs]
    return {
        **preset.options,
        "out_channels": len(outputs.channels),
        "in_channels": len(recipe_named(config.recipe).modalities),
    }


def network_of(
    config: TrainConfig, on_notice: Callable[[str], None]
) -> tuple["nn.Module", Mapping[str, Any] | None]:
    """Return the network to begin with, and what its weights have been through (None: nothing).

    Weights may go on with another recipe, such as a finer grid, if its channels are the same.

    Raises
    ------
    CheckpointError
        If the weights to go on from cannot be read.
    TrainingError
        If they belong to another network, size, order of modalities or kind of outputs.
    """
    import torch

    if config.start is None:
        torch.manual_seed(config.seed)
        return create_model(config.model, config.size, **options_of(config)), None
    network, card = load_checkpoint(config.start)
    outputs = LOSSES[preset_of(config).loss].outputs
    modalities = recipe_named(config.recipe).modalities
    found = (card.architecture, card.size, *card.modalities, card.outputs)
    wanted = (config.model, config.size, *modalities, outputs)
    if found != wanted:
        raise TrainingError(
            f"{config.start!r} holds weights of {' '.join(found)!r}, not of {' '.join(wanted)!r}; "
            "give --start weights of the same network, size, modalities and outputs"
        )
    if card.recipe != config.recipe:
        on_notice(
            f"{config.start!r} was trained with --recipe {card.recipe} and goes on with "
            f"{config.recipe}"
        )
    return network.train(), {"recipe": card.recipe, **card.training}


def check_crop(config: TrainConfig) -> None:
    """Raise TrainingError if a network cannot take samples of this size."""
    spec, crop = model_spec(config.model), config.crop
    if min(crop) < 1 or any(side % spec.multiple for side in crop[: spec.ndim]):
        raise TrainingError(
            f"{spec.name!r} cannot train on samples of {' x '.join(map(str, crop))} voxels; "
            f"give --crop multiples of {spec.multiple}"
        )


def _has_tumor(path: Path, preset: Preset) -> bool:
    if not preset.least_tumor:
        return True
    tissues = Sample.load(path).tissues
    tumor = int(np.count_nonzero(tissues != Tissue.BACKGROUND))
    return tumor > preset.least_tumor * tissues.size


def _epoch_steps(config: TrainConfig, preset: Preset, paths: list[Path]) -> int:
    samples = len(paths)
    if not samples:
        return _ENDLESS_EPOCH
    if config.crop[2] == 1:
        depths = (Sample.load(path).regions.shape[3] for path in paths)
        samples = sum(depths) * _CROPS_A_SLICE.get(preset.sampling, 1)
    return math.ceil(samples / (config.batch * config.devices * config.nodes))


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
