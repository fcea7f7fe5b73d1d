"""Several models averaged: what ``a+b`` and ``all`` mean. Nothing here imports torch."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import Card, bundled_stem
from napari_brats.networks.catalog import (
    ALL,
    ModelRow,
    added_names,
    bundled_models,
    checkpoint_pair,
    find_checkpoint,
)
from napari_brats.networks.checkpoint import read_card

PLUS = "+"
_LONGEST_NAME = 100


@dataclass(frozen=True)
class EnsembleRow:
    """All networks with bundled weights, averaged: a choice beside the single models."""

    cards: tuple[Card, ...]
    name: str = ALL

    @property
    def scores(self) -> Mapping[str, Any]:
        """What was measured with these very weights; empty if nothing was."""
        try:
            found = json.loads(scores_path().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        known = isinstance(found, dict) and found.get("members") == fingerprints(self.cards)
        return found if known else {}


def ours(models: Iterable[ModelRow]) -> EnsembleRow | None:
    """Return the bundled weights among some models as one choice; None for fewer than two."""
    cards = tuple(row.card for row in models if row.card is not None and row.added_as is None)
    return EnsembleRow(cards) if len(cards) > 1 else None


def scores_path() -> Path:
    """Return where the scores of all bundled weights together lie."""
    return bundled_stem(ALL).with_suffix(".json")


def fingerprints(cards: Sequence[Card]) -> dict[str, str]:
    """Return the SHA-256 of each model's weights by the model's name.

    Of models that have one name, such as bundled weights and one's own of the same network, the
    second and later ones are numbered.
    """
    found: dict[str, str] = {}
    for card in cards:
        names = (card.name if n == 1 else f"{card.name}-{n}" for n in count(1))
        found[next(name for name in names if name not in found)] = card.sha256
    return found


def members_of(model: str | Path) -> tuple[str | Path, ...]:
    """Return the models that a choice means, each as `find_checkpoint` takes it.

    Parameters
    ----------
    model : str or Path
        One model; several joined by ``+``; or ``"all"``, every network with bundled weights.
        An added model or a file whose own name holds a ``+`` is one model.

    Raises
    ------
    CheckpointError
        If one of them cannot be found, or is named twice.
    """
    name = str(model)
    if name == ALL:
        return _all_ours()
    if isinstance(model, Path) or PLUS not in name or _is_one(name):
        return (model,)
    names = name.split(PLUS)
    found: dict[str, str] = {}
    for one in names:
        if not one:
            raise CheckpointError(
                f"{name!r} names no model before or after a +; write models as in a+b"
            )
        weights = os.path.realpath(find_checkpoint(one)[0])
        if weights in found:
            raise CheckpointError(
                f"{name!r} averages the same weights twice, as {found[weights]!r} and {one!r}; "
                "name each model once"
            )
        found[weights] = one
    return tuple(names)


def _all_ours() -> tuple[str, ...]:
    names = tuple(row.name for row in bundled_models() if row.card is not None)
    if not names:
        raise CheckpointError(
            f"{ALL!r} means all bundled weights and there are none; reinstall napari-brats, or "
            "name models of your own as in a+b"
        )
    return names


def _is_one(name: str) -> bool:
    return name in added_names() or os.path.isfile(checkpoint_pair(Path(name))[0])


def read_cards(model: str | Path) -> tuple[Card, ...]:
    """Return the card of every model that a choice means.

    Parameters
    ----------
    model : str or Path
        As in `members_of`.

    Raises
    ------
    CheckpointError
        As `members_of` and `read_card`.
    """
    return tuple(read_card(one) for one in members_of(model))


def may_lack(cards: Sequence[Card]) -> tuple[str, ...]:
    """Return the modalities of which some models together can do without one.

    At least one of them would use it, and none needs it.
    """
    used = dict.fromkeys(name for card in cards for name in card.modalities)
    return tuple(
        name
        for name in used
        if all(name in card.may_lack for card in cards if name in card.modalities)
    )


def joint_name(cards: Sequence[Card]) -> str:
    """Return what people call some models averaged, which also goes into files' names.

    The names of all, joined; where that is too long for a file, the first and the number of
    the others.
    """
    name = PLUS.join(fingerprints(cards))
    if len(name) <= _LONGEST_NAME or len(cards) == 1:
        return name
    return f"{cards[0].name}{PLUS}{len(cards) - 1}-others"
