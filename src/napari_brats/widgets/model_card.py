"""What a person should know about a model before using it, as text."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from napari_brats.networks.card import Card, traces_rule
from napari_brats.networks.card_text import dice_words
from napari_brats.networks.catalog import ModelRow
from napari_brats.networks.ensembles import EnsembleRow, may_lack
from napari_brats.networks.registry import model_spec


def model_title(row: ModelRow | EnsembleRow) -> str:
    """Return a model's line in the menu, e.g. ``"dResU-Net 3D, lite"``."""
    if isinstance(row, EnsembleRow):
        return "All of ours, averaged"
    title = f"{row.spec.title} {row.spec.ndim}D"
    if row.added_as:
        return f"{row.added_as} ({title})"
    return f"{title}, {row.card.size}" if row.card else f"{title}, no weights"


def how_to_train(name: str) -> str:
    """Return what to do about a model without weights."""
    command = f"napari-brats train --model {name} --data PATIENTS"
    return f"No weights come with {name!r}; train it: {command}"


def card_html(row: ModelRow | EnsembleRow) -> str:
    """Return a model's card, short enough for a narrow dock."""
    if isinstance(row, EnsembleRow):
        return _ensemble_html(row)
    spec, card = row.spec, row.card
    parameters = card.parameters if card else spec.parameters["paper"]
    lines = [
        f"<b>{escape(spec.title)}</b>, {spec.ndim}D, {parameters / 1e6:.1f} million parameters",
        f"Paper: {escape(spec.paper)}",
    ]
    if card is None:
        return "<br>".join([*lines, f"<b>{escape(how_to_train(spec.name))}</b>"])
    lines += _scores(card.scores)
    lines.append(f"Needs: {escape(', '.join(card.modalities))}")
    lines += _missing([card])
    lines.append(f"Preprocessing: {escape(card.recipe)}")
    lines += [f"Limit: {escape(limit)}" for limit in card.limits]
    if card.least_enhancing_ml:
        lines.append(traces_rule(card))
    lines.append(f"<b>{escape(card.use.capitalize())}</b>")
    return "<br>".join(lines)


def _scores(scores: Mapping[str, Any]) -> list[str]:
    """Return a line with the mean Dice, plain and mirrored, where they were measured."""
    kinds = {"Mean Dice": scores, "Mirrored": scores.get("mirrored", {})}
    words = {kind: dice_words(found["mean"]) for kind, found in kinds.items() if found.get("mean")}
    if not words:
        return []
    dice = "; ".join(f"{kind}: {dice}" for kind, dice in words.items())
    return [f"{escape(dice)}; on {escape(str(scores.get('dataset', '?')))}"]


def _missing(cards: Sequence[Card]) -> list[str]:
    """Return a line with the modalities of which one may be missing, if any."""
    spared = may_lack(cards)
    return [f"One of {escape(', '.join(spared))} may be missing"] if spared else []


def _ensemble_html(row: EnsembleRow) -> str:
    """Return what is to be known of several models averaged."""
    lines = [
        f"<b>{len(row.cards)} networks</b>; the mean of their probabilities decides",
        *(escape(f"{model_spec(card.architecture).title} ({card.name})") for card in row.cards),
        *_scores(row.scores),
        *_missing(row.cards),
        "Takes as long as all of them, one after the other",
    ]
    uses = dict.fromkeys(card.use for card in row.cards)
    return "<br>".join([*lines, *(f"<b>{escape(use.capitalize())}</b>" for use in uses)])
