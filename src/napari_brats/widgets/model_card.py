"""What a person should know about a model before using it, as text."""

from html import escape

from napari_brats.networks.card import traces_rule
from napari_brats.networks.catalog import ModelRow
from napari_brats.regions import REGIONS


def model_title(row: ModelRow) -> str:
    """Return a model's line in the menu, e.g. ``"dResU-Net 3D, lite"``."""
    title = f"{row.spec.title} {row.spec.ndim}D"
    if row.added_as:
        return f"{row.added_as} ({title})"
    return f"{title}, {row.card.size}" if row.card else f"{title}, no weights"


def how_to_train(name: str) -> str:
    """Return what to do about a model without weights."""
    return f"No weights come with {name!r}; train it: napari-brats train --model {name}"


def card_html(row: ModelRow) -> str:
    """Return a model's card, short enough for a narrow dock."""
    spec, card = row.spec, row.card
    parameters = card.parameters if card else spec.parameters["paper"]
    lines = [
        f"<b>{escape(spec.title)}</b>, {spec.ndim}D, {parameters / 1e6:.1f} million parameters",
        f"Paper: {escape(spec.paper)}",
    ]
    if card is None:
        return "<br>".join([*lines, f"<b>{escape(how_to_train(spec.name))}</b>"])
    mean = card.scores.get("mean")
    if mean:
        dice = ", ".join(f"{name} {mean[name]:.3f}" for name in REGIONS if name in mean)
        lines.append(f"Mean Dice: {dice} on {escape(str(card.scores.get('dataset', '?')))}")
    lines.append(f"Needs: {escape(', '.join(card.modalities))}")
    lines.append(f"Preprocessing: {escape(card.recipe)}")
    lines += [f"Limit: {escape(limit)}" for limit in card.limits]
    if card.least_enhancing_ml:
        lines.append(traces_rule(card))
    lines.append(f"<b>{escape(card.use.capitalize())}</b>")
    return "<br>".join(lines)
