"""The card of a checkpoint: what the weights are, what they need and what they score.

A card is the JSON file beside the weights. Reading one imports no torch.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from napari_brats.errors import CheckpointError

SCHEMA = 1
WEIGHTS_FOLDER = Path(__file__).parents[1] / "weights"
_MAX_CARD_BYTES = 2**20


@dataclass(frozen=True)
class OutputKind:
    """What a network's logits mean: the channels in order, and how to make probabilities."""

    channels: tuple[str, ...]
    activation: str


OUTPUTS: Mapping[str, OutputKind] = {
    "regions": OutputKind(("WT", "TC", "ET"), "sigmoid"),
    "tissues": OutputKind(("background", "NCR", "ED", "ET"), "softmax"),
    "labels": OutputKind(("NCR", "ED", "ET"), "sigmoid"),
}


@dataclass(frozen=True)
class Card:
    """Everything that binds weights to their use.

    Parameters
    ----------
    name : str
        What people see, such as ``"dresunet3d-lite"``.
    architecture, size : str
        Key in `MODELS`, and ``"paper"`` or ``"lite"``.
    options : Mapping[str, Any]
        Constructor arguments that override the size's.
    recipe : str
        Row of RECIPES: the preprocessing the weights were trained with.
    modalities : tuple of str
        Channel order of the input, which is the recipe's.
    outputs : str
        Row of `OUTPUTS`.
    may_lack : tuple of str
        Modalities of which a patient may lack one: the weights were trained for it. Cards
        that do not say so are read as none.
    least_enhancing_ml : float
        Less enhancing tumor than this in a whole patient is taken for necrosis; 0: never.
    training, scores : Mapping[str, Any]
        Data, steps, seconds, hardware, command, seed; and dataset, per_case, mean, command,
        with what mirroring and a missing modality change (`benchmarks/score_weights.py`).
    use, license : str
        What the weights may be used for.
    limits, citation : tuple of str
        What they cannot do, and whom to cite.
    sha256 : str
        Of the weights' file; `save_checkpoint` fills it and the rest.
    parameters : int
        Trainable parameters.
    created, software : str
        When (UTC, ISO 8601) and with which versions the weights were saved.
    """

    name: str
    architecture: str
    size: str
    recipe: str
    modalities: tuple[str, ...]
    outputs: str
    options: Mapping[str, Any] = field(default_factory=dict)
    may_lack: tuple[str, ...] = ()
    least_enhancing_ml: float = 0.0
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    use: str = "research use only"
    license: str = ""
    limits: tuple[str, ...] = ()
    citation: tuple[str, ...] = ()
    sha256: str = ""
    parameters: int = 0
    created: str = ""
    software: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values, with its schema version."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, value: object, source: str = "the card") -> "Card":
        """Make a card from parsed JSON, checking every field's presence and type.

        Parameters
        ----------
        value : object
            What `to_json` gave, read back.
        source : str
            Where it comes from, for the message.

        Raises
        ------
        CheckpointError
            If it is not a card of this schema.
        """
        if not isinstance(value, dict):
            raise CheckpointError(f"{source} is not a checkpoint's card: expected a JSON object")
        schema = value.get("schema")
        if schema != SCHEMA:
            raise CheckpointError(
                f"{source} has schema {schema!r}, this version reads {SCHEMA}; "
                "update napari-brats or get the checkpoint's matching card"
            )
        given = {name: entry for name, entry in value.items() if name != "schema"}
        known = {entry.name for entry in fields(cls)}
        given = {**_LATER_FIELDS, **given}
        if given.keys() != known:
            raise CheckpointError(
                f"{source} is not a complete card: {_key_difference(set(given), known)}; "
                "get the file that was saved with the weights"
            )
        return cls(**{name: _checked(name, entry, source) for name, entry in given.items()})


def traces_rule(card: Card) -> str:
    """Return in words what `Card.least_enhancing_ml` does."""
    return (
        f"Less than {card.least_enhancing_ml:g} ml of enhancing tumor in a whole patient is taken "
        "for necrosis."
    )


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_volume(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf  # type: ignore[operator]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_scores(value: object) -> bool:
    """Whether it is an object whose means, where there are any, are Dice from 0 to 1 by region."""
    if not isinstance(value, dict):
        return False
    variants = value.get("mirrored", {}), value.get("without", {})
    if not all(isinstance(one, dict) for one in variants):
        return False
    mirrored, without = variants
    means = value.get("mean", {}), mirrored.get("mean", {}), *without.values()
    return all(_is_dice(mean) for mean in means)


def _is_dice(value: object) -> bool:
    return isinstance(value, dict) and all(
        type(number) in (int, float) and 0 <= number <= 1 for number in value.values()
    )


# Weights that were saved before a field was there have its harmless value.
_LATER_FIELDS: Mapping[str, object] = {"may_lack": []}

_TEXT = (_is_text, "a text")
_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "options": (_is_object, "an object"),
    "least_enhancing_ml": (_is_volume, "a number of at least 0"),
    "training": (_is_object, "an object"),
    "scores": (_is_scores, "an object whose 'mean' holds numbers from 0 to 1"),
    "modalities": (_is_texts, "a list of texts"),
    "may_lack": (_is_texts, "a list of texts"),
    "limits": (_is_texts, "a list of texts"),
    "citation": (_is_texts, "a list of texts"),
    "parameters": (_is_count, "a whole number"),
}


def _checked(name: str, value: object, source: str) -> Any:
    """Return a field's value as `Card` holds it, or raise CheckpointError."""
    fits, expected = _KINDS.get(name, _TEXT)
    if not fits(value):
        raise CheckpointError(
            f"{source}: field {name!r} should be {expected}, found {_short(value)}; "
            "get the file that was saved with the weights"
        )
    return tuple(value) if isinstance(value, list) else value


def _key_difference(given: set[str], known: set[str]) -> str:
    missing, extra = sorted(known - given), sorted(given - known)
    parts = [
        f"{word} {', '.join(map(repr, names[:6]))}"
        for word, names in (("missing", missing), ("unknown", extra))
        if names
    ]
    return "; ".join(parts)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_card_file(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    CheckpointError
        If the file is missing, too large, not JSON or not a card of this schema.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_CARD_BYTES + 1)
    except OSError as error:
        raise CheckpointError(
            f"cannot read the card {str(path)!r}: {error.strerror}; a checkpoint needs its .json "
            "card beside its .safetensors file"
        ) from error
    if len(raw) > _MAX_CARD_BYTES:
        raise CheckpointError(
            f"the card {str(path)!r} is over 1 MiB; get the file that was saved with the weights"
        )
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the card {str(path)!r} is not valid JSON; get the file that was saved with "
            "the weights"
        ) from error
    return Card.from_json(value, f"the card {str(path)!r}")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def bundled_stem(model: str) -> Path:
    """Return where a model's bundled weights are or would be, without suffix."""
    return WEIGHTS_FOLDER / f"{model}-lite"


def bundled_card(model: str) -> Card | None:
    """Return the card of a model's bundled weights; None if there are none."""
    stem = bundled_stem(model)
    card, weights = stem.with_suffix(".json"), stem.with_suffix(".safetensors")
    return read_card_file(card) if card.is_file() and weights.is_file() else None
