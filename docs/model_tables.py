"""Tables about models: what the cards and the registry of networks say."""

from collections.abc import Mapping, Sequence
from typing import Any

from napari_brats.naming import MODALITIES
from napari_brats.networks.card import traces_rule
from napari_brats.networks.card_text import facts
from napari_brats.networks.catalog import bundled_models
from napari_brats.networks.ensembles import ours
from napari_brats.regions import REGIONS


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _dice(scores: Mapping[str, float]) -> str:
    return " / ".join(f"{scores[name]:.3f}" if name in scores else "-" for name in REGIONS)


def models() -> str:
    """Networks: size, what the paper reports and what the bundled weights measure."""
    rows = []
    for model in bundled_models():
        spec, card = model.spec, model.card
        mean = card.scores.get("mean") if card else None
        rows.append(
            [
                f"`{spec.name}`",
                f"{spec.title}, {spec.paper}",
                f"{spec.ndim}D",
                f"{spec.parameters['paper']:,}",
                f"{spec.parameters['lite']:,}",
                "; ".join(f"{row.dataset}: {_dice(row.scores)}" for row in spec.published)
                or "none stated",
                _dice(mean) if mean else "no bundled weights yet",
            ]
        )
    header = ("name", "network", "", "parameters, paper", "lite", "published Dice", "ours, lite")
    return markdown(header, rows)


def cases() -> str:
    """Dice per validation patient of every bundled model."""
    rows = []
    for model in bundled_models():
        scores = model.card.scores if model.card else {}
        for case, dice in {**scores.get("per_case", {}), "mean": scores.get("mean", {})}.items():
            if dice:
                rows.append([f"`{model.spec.name}`", case, *(f"{dice[n]:.3f}" for n in REGIONS)])
    return markdown(("model", "patient", *REGIONS), rows)


def variants() -> str:
    """Return what averaging models and mirroring bring and cost."""
    bundled = bundled_models()
    together = ours(bundled)
    found = {f"`{row.name}`": row.card.scores for row in bundled if row.card}
    if together is not None:
        found[f"`{together.name}`, {len(together.cards)} models"] = together.scores
    rows = []
    for name, scores in found.items():
        kinds = (scores, scores.get("mirrored", {}))
        dice = [_dice(kind["mean"]) if kind.get("mean") else "not measured" for kind in kinds]
        times = [f"{kind['times']:.1f}" if kind.get("times") else "-" for kind in kinds]
        rows.append([name, dice[0], times[0], dice[1], times[1]])
    return markdown(("model", "Dice", "time", "Dice, mirrored", "time, mirrored"), rows)


def missing() -> str:
    """Return what a missing modality costs the models that may lack one."""
    rows = []
    for model in bundled_models():
        if model.card is None or not model.card.may_lack:
            continue
        scores = model.card.scores
        cells = [scores.get("mean"), *(scores.get("without", {}).get(n) for n in MODALITIES)]
        spared = [True, *(name in model.card.may_lack for name in MODALITIES)]
        words = [
            _dice(cell) if cell else "not measured" if may else "needed"
            for cell, may in zip(cells, spared, strict=True)
        ]
        rows.append([f"`{model.name}`", *words])
    if not rows:
        return "No bundled model may lack a modality, so there is nothing to measure yet.\n"
    return markdown(("model", "all there", *(f"no {name}" for name in MODALITIES)), rows)


def _training(last: Mapping[str, Any]) -> str:
    """Tell the last training, and how many there were before it; the card has all of each."""
    chain = [last]
    while isinstance(before := chain[-1].get("started_from"), Mapping):
        chain.append(before)
    steps, minutes = (sum(one.get(key, 0) for one in chain) for key in ("steps", "minutes"))
    history = f" ({len(chain)} in all: {steps:,} steps, {minutes:.0f} minutes)"
    plain = {key: last[key] for key in last if key not in ("command", "started_from")}
    words = f"Last training{history if len(chain) > 1 else ''}: {facts(plain)}."
    return words + (f"\n\n```\n{last['command']}\n```" if "command" in last else "")


def weights() -> str:
    """Training and limits, as the bundled cards state them."""
    lines = []
    for model in bundled_models():
        card = model.card
        if card is None:
            continue
        lines += [f"**{card.name}** ({card.license}). Recipe `{card.recipe}`.\n"]
        lines += [f"{_training(card.training)}\n"]
        lines += [f"- {limit}" for limit in card.limits]
        if card.least_enhancing_ml:
            lines += [f"- {traces_rule(card)}"]
        lines += [f"\nScored with `{card.scores.get('command', 'nothing yet')}`.\n"]
    return "\n".join(lines)
