"""Which model an adapted model came from: what to call the next, and the way back."""

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import WEIGHTS_FOLDER, Card
from napari_brats.networks.catalog import added_names, find_checkpoint, user_folder
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.installing import remove_model
from napari_brats.volumes import sha256_of

PARENT, PARENT_SHA256 = "adapted_from", "adapted_from_sha256"
"""Keys of a card's ``training``: what finds the model it came from, and that one's SHA-256."""

LEARNED_FROM = "learned_from"
"""Key of the `fingerprint`s of the cases that an adapted model learned from, by commas."""

_VERSION = re.compile(r"(?P<base>.+-adapted)(-v\d+)?")


def next_version(model: str) -> str:
    """Return a free name for what a model is adapted to.

    Examples
    --------
    >>> next_version("ward-7")
    'ward-7-adapted'
    """
    plain = Path(model).name.removesuffix(".safetensors").removesuffix("-lite")
    match = _VERSION.fullmatch(plain)
    base = match["base"] if match else f"{plain}-adapted"
    taken = {name.lower() for name in added_names()}
    names = (base if number == 1 else f"{base}-v{number}" for number in count(1))
    return next(name for name in names if name.lower() not in taken)


def lasting_name(model: str) -> str:
    """Return what finds a model from any folder: a name as it is, a file by its whole path."""
    weights = find_checkpoint(model)[0]
    is_name = weights.parent in (user_folder(), WEIGHTS_FOLDER)
    return model if is_name and Path(model).name == model else str(weights.absolute())


def parent_of(card: Card) -> str | None:
    """Return what finds the model that an adapted one came from; None if it was not adapted."""
    found = card.training.get(PARENT)
    return found if isinstance(found, str) else None


def fingerprint(image: Path) -> str:
    """Return what tells a case from others without naming it: of an image's SHA-256."""
    return sha256_of(image)[:16]


def seen_by(card: Card) -> frozenset[str]:
    """Return the fingerprints of what a model and those it came from were adapted to."""
    seen: set[str] = set()
    training: object = card.training
    while isinstance(training, Mapping):
        seen.update(str(training.get(LEARNED_FROM, "")).split(", "))
        training = training.get("started_from")
    return frozenset(seen - {""})


def roll_back(name: str) -> str:
    """Remove an adapted model and return what finds the one it came from.

    Raises
    ------
    CheckpointError
        If it was not adapted, or the model that it came from is not there as it was; nothing
        is removed then.
    OutputError
        If its files cannot be deleted.
    """
    card = read_card(name)
    parent = parent_of(card)
    if parent is None:
        raise CheckpointError(
            f"{name!r} was not adapted from another model; there is nothing to go back to"
        )
    try:
        whole = read_card(parent).sha256 == card.training.get(PARENT_SHA256)
    except CheckpointError:
        whole = False
    if not whole:
        raise CheckpointError(
            f"{name!r} came from {parent!r}, which is not there any more or has changed; "
            f"{name!r} stays: bring that model back, or remove this one with "
            f"`napari-brats models remove {name}`"
        )
    remove_model(name)
    return parent
