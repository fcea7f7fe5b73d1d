"""``napari-brats train``: train a network on patients with reference masks or on made ones."""

import argparse
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari_brats.cli.flags import add_flags, given_flags
from napari_brats.cli.following import add_events, for_a_person, for_a_program, needs_extra
from napari_brats.training.config import TrainConfig
from napari_brats.training.resume import read_config
from napari_brats.training.settings import config_of_preset

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag for every field of `TrainConfig`."""
    add_flags(parser, TrainConfig)
    add_events(parser)


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Train, showing every report."""
    with needs_extra():
        from napari_brats.training.loop import train
    config = config_of(args)
    work = partial(train, config)
    if args.events:
        for_a_program(work, lambda weights: {"weights": str(weights.resolve())})
        return 0
    weights, stopped = for_a_person(work, terminal)
    if stopped:
        terminal.notice(f"stopped; to go on: train --resume --output {str(config.output)!r}")
    terminal.say(f"weights: {weights.resolve()}")
    return 0


def config_of(args: argparse.Namespace) -> TrainConfig:
    """Return the settings that the flags say; what they do not, the resumed training does."""
    given = given_flags(args, TrainConfig)
    if given.get("resume"):
        return replace(read_config(given.get("output", TrainConfig.output)), **given)
    preset, model = (given.pop(name, getattr(TrainConfig, name)) for name in ("preset", "model"))
    return config_of_preset(preset, model, **given)
