"""The models that people can choose, and where their weights lie: the one way to find them.

A model is a network of the registry with its bundled weights, or weights that the user added
to a folder of their own, under a name of their own. Names find bundled weights first, then
added ones, then files. Nothing here imports torch.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import Card, bundled_card, bundled_stem, read_card_file
from napari_brats.networks.pair import own_card
from napari_brats.networks.registry import MODELS, ModelSpec, model_spec

ALL = "all"
"""Every network with bundled weights, averaged; no model's own name."""

_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_KERAS = (".h5", ".hdf5", ".keras")
_SUFFIXES = (".json", ".safetensors")


@dataclass(frozen=True)
class ModelRow:
    """A network with the card of its weights; ``card`` is None if there are none.

    ``added_as`` is the name under which the user added the weights; None: they are bundled.
    """

    spec: ModelSpec
    card: Card | None
    added_as: str | None = None

    @property
    def name(self) -> str:
        """What finds the model, as in ``--model``."""
        return self.added_as or self.spec.name

    @property
    def parameters(self) -> dict[str, int]:
        """Trainable parameters by size; of an added model, its own."""
        if self.added_as and self.card:
            return {self.card.size: self.card.parameters}
        return dict(self.spec.parameters)

    def to_json(self) -> dict[str, Any]:
        """Return what ``napari-brats models --json`` prints for this model."""
        spec, card = self.spec, self.card
        return {
            "name": self.name,
            "architecture": spec.name,
            "added": self.added_as is not None,
            "title": spec.title,
            "ndim": spec.ndim,
            "parameters": self.parameters,
            "weights": None if card is None else card.name,
            "dice": None if card is None else card.scores.get("mean"),
            "recipe": spec.recipe if card is None else card.recipe,
            "modalities": list(spec.modalities if card is None else card.modalities),
            "may_lack": [] if card is None else list(card.may_lack),
            "paper": spec.paper,
            "published": [
                {"dataset": row.dataset, "network": row.network, "dice": dict(row.scores)}
                for row in spec.published
            ],
        }


def bundled_models() -> list[ModelRow]:
    """Return every network with the card of its bundled weights."""
    return [ModelRow(spec, bundled_card(spec.name)) for spec in MODELS.values()]


def list_models(on_notice: Callable[[str], None] | None = None) -> list[ModelRow]:
    """Return every network, then every model that the user added, without loading torch.

    Parameters
    ----------
    on_notice : callable, optional
        Called with one line about each added model that is left out because it is damaged
        or its name means other weights.
    """
    return [*bundled_models(), *_added_models(on_notice)]


def user_folder() -> Path:
    """Return where added models lie: `NAPARI_BRATS_MODELS`, or a folder of the user's data."""
    from platformdirs import user_data_path

    chosen = os.environ.get("NAPARI_BRATS_MODELS")
    return Path(chosen) if chosen else user_data_path("napari-brats") / "models"


def added_names() -> list[str]:
    """Return the names of the models in the user's folder, damaged ones too."""
    try:
        files = [path for path in user_folder().iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted({path.stem for path in files if path.suffix in _SUFFIXES})


def checkpoint_pair(path: Path) -> tuple[Path, Path]:
    """Return the paths of the weights and the card that ``path`` means, whatever its suffix."""
    stem = path.name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    return path.parent / f"{stem}.safetensors", path.parent / f"{stem}.json"


def find_checkpoint(source: str | Path) -> tuple[Path, Path]:
    """Return the paths of a model's weights and card.

    Parameters
    ----------
    source : str or Path
        A network's name (its bundled weights), the name of an added model, or the path of a
        ``.safetensors`` file.

    Raises
    ------
    CheckpointError
        If there are none.
    """
    name = str(source)
    if name.removesuffix("-lite") in MODELS:
        return _bundled_pair(name.removesuffix("-lite"))
    if name in added_names():
        return _added_pair(name)
    path = Path(source)
    if path.suffix.lower() in (*_PICKLES, *_KERAS):
        is_pickle = path.suffix.lower() in _PICKLES
        why = "is a pickle, which can run programs when opened," if is_pickle else "is Keras's"
        raise CheckpointError(
            f"{name!r} {why} and was not opened; give a .safetensors file with its .json card, "
            "or make one with `napari-brats models import`"
        )
    weights, card = checkpoint_pair(path)
    card = own_card(weights, card)
    if not os.path.isfile(weights):
        raise CheckpointError(
            f"no checkpoint {name!r}: neither a model ({', '.join((*MODELS, *added_names()))}) "
            "nor a .safetensors file; check the name or the path"
        )
    if not os.path.isfile(card):
        raise CheckpointError(
            f"{str(weights)!r} has no card; put its {card.name!r} beside it, without which its "
            "preprocessing is unknown"
        )
    return weights, card


def other_meaning(name: str) -> str:
    """Return what else a name means, under which no added model is found; nothing if it is free."""
    lower = name.lower()  # disks that do not tell A from a must not lose a model
    if lower.removesuffix("-lite") in MODELS:
        return "the bundled weights of that network"
    return "all bundled weights, averaged" if lower == ALL else ""


def named_card(path: Path) -> Card:
    """Read a card; that of an added model has the name that finds it, whatever it says."""
    card = read_card_file(path)
    return replace(card, name=path.stem) if path.parent == user_folder() else card


def _added_models(on_notice: Callable[[str], None] | None) -> Iterator[ModelRow]:
    for name in added_names():
        try:
            if meaning := other_meaning(name):
                raise CheckpointError(f"its name means {meaning}; rename its two files")
            card = named_card(_added_pair(name)[1])
            yield ModelRow(model_spec(card.architecture), card, added_as=name)
        except CheckpointError as error:
            if on_notice is not None:
                on_notice(f"left out the added model {name!r}: {error}")


def _bundled_pair(name: str) -> tuple[Path, Path]:
    if bundled_card(name) is None:
        raise CheckpointError(
            f"no trained weights come with {name!r}, and random ones are never used; train "
            f"some with `napari-brats train --model {name} --data PATIENTS` and give the path of "
            "the .safetensors file, or choose a model that `napari-brats models` lists with weights"
        )
    return checkpoint_pair(bundled_stem(name))


def _added_pair(name: str) -> tuple[Path, Path]:
    folder = user_folder()
    weights, card = folder / f"{name}.safetensors", folder / f"{name}.json"
    for path in (weights, card):
        if not os.path.isfile(path):
            raise CheckpointError(
                f"{str(path)!r} is missing; take the rest away with `napari-brats models remove "
                f"{name}` and add the model again"
            )
    return weights, card
