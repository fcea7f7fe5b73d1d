"""A card in words, for the command line and the docs."""

from collections.abc import Mapping
from typing import Any

from napari_brats.networks.card import OUTPUTS, Card, traces_rule
from napari_brats.networks.registry import model_spec


def facts(values: Mapping[str, Any]) -> str:
    """Return a card's entries in words, what is nested in parentheses; what is None is left out."""
    words = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            value = f"({facts(value)})"
        elif isinstance(value, list):
            value = " x ".join(map(str, value))
        if value is not None:
            words.append(f"{key.replace('_', ' ')}: {value}")
    return "; ".join(words)


def dice_words(mean: Mapping[str, float]) -> str:
    """Return Dice by region in words, e.g. ``"WT 0.900, TC 0.759, ET 0.584"``."""
    return ", ".join(f"{name} {dice:.3f}" for name, dice in mean.items())


def card_rows(card: Card) -> list[tuple[str, str]]:
    """Return what a card says as (subject, words); a subject that has no words is left out."""
    spec = model_spec(card.architecture)
    mean = card.scores.get("mean") or {}
    rows = [
        ("network", f"{spec.title}, {spec.ndim}D, {card.size} ({card.architecture})"),
        ("options", facts(card.options)),
        ("parameters", f"{card.parameters:,}"),
        ("recipe", card.recipe),
        ("needs", ", ".join(card.modalities)),
        ("may lack", f"one of {', '.join(card.may_lack)}" if card.may_lack else ""),
        ("outputs", f"{card.outputs}: {', '.join(OUTPUTS[card.outputs].channels)}"),
        ("training", facts(card.training)),
        ("mean Dice", dice_words(mean)),
        ("mirrored", dice_words(card.scores.get("mirrored", {}).get("mean", {}))),
        *(
            (f"without {name}", dice_words(dice))
            for name, dice in card.scores.get("without", {}).items()
        ),
        ("scored on", str(card.scores.get("dataset", ""))),
        *(("limit", limit) for limit in card.limits),
        ("limit", traces_rule(card) if card.least_enhancing_ml else ""),
        *(("cite", source) for source in card.citation),
        ("use", card.use),
        ("license", card.license),
        ("made", f"{card.created}, {card.software}" if card.created else ""),
        ("SHA-256", card.sha256),
    ]
    return [(subject, words) for subject, words in rows if words]
