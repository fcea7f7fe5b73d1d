"""``napari-brats models``: list the networks, their weights and what they score."""

import argparse
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json
from napari_brats.regions import REGIONS

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.networks.registry import ModelRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_json(parser)


def run(_: argparse.Namespace, terminal: "Terminal") -> int:
    """Print the table of networks."""
    from napari_brats.networks.registry import list_models

    models = list_models()
    if terminal.json:
        terminal.result({"models": [model.to_json() for model in models]})
        return 0
    terminal.table(
        ("model", "ndim", "paper", "lite", "<weights", "Dice WT", "TC", "ET", "<recipe", "<paper"),
        [_row(model) for model in models],
    )
    for model in models:
        if model.card and model.card.scores:
            terminal.say(f"{model.card.name}: mean Dice on {model.card.scores['dataset']}")
    return 0


def _row(model: "ModelRow") -> tuple[str, ...]:
    spec, card = model.spec, model.card
    mean = card.scores.get("mean", {}) if card else {}
    return (
        spec.name,
        f"{spec.ndim}D",
        *(f"{spec.parameters[size]:,}" for size in ("paper", "lite")),
        card.name if card else "none",
        *(f"{mean[region]:.3f}" if region in mean else "-" for region in REGIONS),
        card.recipe if card else spec.recipe,
        spec.paper,
    )
