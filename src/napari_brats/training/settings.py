"""From a preset to a training's settings, and from settings to the preset they amount to."""

from dataclasses import replace
from typing import Any

from napari_brats.training.config import TrainConfig
from napari_brats.training.presets import Preset, preset_for


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
