"""An interrupted training goes on only with the settings that it began with."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from napari_brats.errors import TakenError, TrainingError
from napari_brats.training.config import TrainConfig
from napari_brats.volumes import write_json_atomic

CONFIG_NAME = "config.json"
STATE_NAME = "last.ckpt"

_FREE = {
    "output", "resume", "cache", "steps", "minutes", "patience", "fuse", "device", "workers",
}  # fmt: skip
"""Settings that another machine, folder or longer schedule may change."""


def write_config(config: TrainConfig) -> None:
    """Write a training's settings to its folder, as they are without ``--resume``."""
    values = json.loads(json.dumps({**asdict(config), "resume": False}, default=str))
    write_json_atomic(config.output / CONFIG_NAME, values)


def check_unused(config: TrainConfig) -> None:
    """Raise TakenError if the output folder holds a training, which a new one would write over."""
    stem = f"{config.model}-{config.size}"
    names = (STATE_NAME, f"{stem}.safetensors", f"{stem}-best.safetensors")
    found = next((name for name in names if (config.output / name).exists()), None)
    if found:
        raise TakenError(
            f"{str(config.output)!r} holds a training already ({found!r}), which would be written "
            "over; go on with it by --resume, or give another --output"
        )


def read_config(folder: Path) -> TrainConfig:
    """Return the settings of the training in a folder.

    Raises
    ------
    TrainingError
        If there is none, or it is of another version of the program.
    """
    path = folder / CONFIG_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        hints = get_type_hints(TrainConfig)
        return TrainConfig(**{name: _typed(value, hints[name]) for name, value in values.items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TrainingError(
            f"no training to go on with in {str(folder)!r}: {CONFIG_NAME!r} is missing or of "
            "another version; give --output the folder of an interrupted training"
        ) from error


def state_to_resume(config: TrainConfig) -> Path:
    """Return the file that an interrupted training goes on from.

    Raises
    ------
    TrainingError
        If it is missing, or the settings are not those that it began with.
    """
    began = read_config(config.output)
    changed = [
        f"{entry.name} was {getattr(began, entry.name)!r} and is {getattr(config, entry.name)!r}"
        for entry in fields(TrainConfig)
        if entry.name not in _FREE and getattr(began, entry.name) != getattr(config, entry.name)
    ]
    if changed:
        raise TrainingError(
            f"the training in {str(config.output)!r} began with other settings: "
            f"{'; '.join(changed)}; leave them as they were or give another --output"
        )
    state = config.output / STATE_NAME
    if not state.is_file():
        raise TrainingError(
            f"the training in {str(config.output)!r} stopped before its first checkpoint; "
            "start it again without --resume"
        )
    return state


def _typed(value: Any, hint: Any) -> Any:
    """Return a JSON value as the field's type."""
    if isinstance(value, list):
        inner = get_args(hint)[0]
        return tuple(inner(item) for item in value)
    wants_path = hint is Path or (get_origin(hint) is not tuple and Path in get_args(hint))
    return Path(value) if wants_path and value is not None else value
