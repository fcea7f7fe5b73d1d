"""From a preset to a training's settings, and from settings to the preset they amount to."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_brats.errors import TrainingError
from napari_brats.training.config import TrainConfig
from napari_brats.training.presets import Preset, preset_for

_LIMITS: Mapping[str, tuple[float, float]] = {
    "batch": (1, math.inf),
    "steps": (0, math.inf),
    "check_steps": (0, math.inf),
    "minutes": (1e-3, math.inf),
    "holdout": (0, math.inf),
    "patience": (0, math.inf),
    "workers": (0, math.inf),
    "devices": (1, math.inf),
    "nodes": (1, math.inf),
    "synthetic_cases": (0, math.inf),
    "synthetic_share": (0, 1),
    "drop_modality": (0, 1),
    "average": (0, 1),
    "learning_rate": (0, math.inf),
    "weight_decay": (0, math.inf),
}
"""Smallest and largest value of the settings that are numbers."""


def check_numbers(settings: object) -> None:
    """Raise TrainingError if a number in a `TrainConfig` or `AdaptConfig` is out of range."""
    for name, (least, most) in _LIMITS.items():
        value = getattr(settings, name, None)
        if value is not None and not least <= value <= most:
            wanted = f"{least:g} or more" if most == math.inf else f"a number from 0 to {most:g}"
            raise TrainingError(f"--{name.replace('_', '-')} is {value:g}; give {wanted}")


def config_of_preset(name: str, model: str, **given: Any) -> TrainConfig:
    """Return the settings of a preset, but for those that are given.

    Parameters
    ----------
    name, model : str
        As in `preset_for`.
    **given
        Fields of `TrainConfig`.
    """
    preset = preset_for(name, model)
    x, y, *z = preset.crop
    from_preset = {
        "size": preset.size,
        "recipe": preset.recipe,
        "steps": preset.steps or 0,
        "batch": preset.batch,
        "crop": (x, y, *z) if z else (x, y, 1),
        "learning_rate": preset.learning_rate,
        "weight_decay": preset.optimizer_options.get("weight_decay", 0.0),
        "average": preset.weight_average or 0.0,
        "patience": preset.patience or 0,
        "check_steps": 0 if preset.epochs else TrainConfig.check_steps,
    }
    return TrainConfig(**{**from_preset, **given, "preset": name, "model": model})


def preset_of(config: TrainConfig) -> Preset:
    """Return the preset of a training, with the numbers that its settings override."""
    preset = preset_for(config.preset, config.model)
    options = {**preset.optimizer_options, "weight_decay": config.weight_decay}
    return replace(
        preset,
        learning_rate=config.learning_rate,
        optimizer_options=options,
        recipe=config.recipe,
        batch=config.batch,
        crop=config.crop,
        size=config.size,
    )
