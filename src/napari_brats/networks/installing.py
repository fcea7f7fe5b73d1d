"""Add models to the user's folder and remove them; `catalog` finds them there by name.

A model is two files, the weights and their card, and is there only when both are: the card
is put in place last, so that a copy that fails half-way shows no model.
"""

import contextlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

from napari_brats.errors import CheckpointError, OutputError
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import (
    added_names,
    find_checkpoint,
    other_meaning,
    user_folder,
)
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import MODELS
from napari_brats.volumes import atomic_write, sha256_of, write_json_atomic

# Windows keeps these names for devices, with any suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


def add_model(path: str | Path, name: str | None = None) -> Card:
    """Copy a checkpoint into the user's folder, where every command and the window find it.

    The header and the shapes are checked against the card before anything is allocated,
    then every weight and the SHA-256.

    Parameters
    ----------
    path : str or Path
        A ``.safetensors`` file with its card beside it.
    name : str, optional
        What to call it; what its card says by default.

    Returns
    -------
    Card
        As installed, with the name it was given.

    Raises
    ------
    CheckpointError
        If it cannot be used, or the name is taken or cannot be a file's.
    OutputError
        If it cannot be written. Nothing is left then.
    """
    source, _ = find_checkpoint(Path(path).absolute())  # a file, whatever has its name
    _, card = load_checkpoint(source)
    card = replace(card, name=card.name if name is None else name)
    check_new_name(card.name)
    _copy(source, card)
    return card


def check_new_name(name: str) -> None:
    """Raise CheckpointError if a model cannot be added under this name."""
    cure = "give another name with --name"
    if not _NAME.fullmatch(name) or name.endswith(".") or _DEVICES.fullmatch(name):
        raise CheckpointError(
            f"a model cannot be called {name!r}: expected at most 80 letters, digits and ._+-, "
            f"the first a letter or digit; {cure}"
        )
    if meaning := other_meaning(name):
        raise CheckpointError(f"{name!r} means {meaning}; {cure}")
    lower = name.lower()
    if lower.endswith((".safetensors", ".json")):
        raise CheckpointError(f"{name!r} would be taken for a file; {cure}")
    if lower in (taken.lower() for taken in added_names()):
        raise CheckpointError(
            f"there is a model {name!r} in {str(user_folder())!r} already; {cure}, or remove that "
            f"one first with `napari-brats models remove {name}`"
        )


def check_folder() -> None:
    """Raise OutputError unless models can be written into the user's folder."""
    folder = user_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"no model can be added to {str(folder)!r}: {error.strerror or error}; give the right "
            "to write there, or name another folder in NAPARI_BRATS_MODELS"
        ) from error


def remove_model(name: str) -> None:
    """Delete a model's two files from the user's folder.

    Raises
    ------
    CheckpointError
        If no added model has this name.
    OutputError
        If a file cannot be deleted.
    """
    check_removable(name)
    folder = user_folder()
    try:
        # The card first: without it the model is gone, whatever becomes of the rest.
        for suffix in (".json", ".safetensors"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot remove {name!r} from {str(folder)!r}: {error.strerror or error}; "
            "close what uses it or check the folder's permissions"
        ) from error


def check_removable(name: str) -> None:
    """Raise CheckpointError unless the user added a model of this name."""
    if name in added_names():
        return
    if name.removesuffix("-lite") in MODELS:
        raise CheckpointError(f"{name!r} comes with napari-brats and cannot be removed")
    there = ", ".join(added_names()) or "none"
    raise CheckpointError(f"no model {name!r} was added; added models: {there}")


def _copy(source: Path, card: Card) -> None:
    """Put weights and card into the user's folder, or neither."""
    folder = user_folder()
    weights = folder / f"{card.name}.safetensors"

    def write(target: Path) -> None:
        shutil.copyfile(source, target)

    atomic_write(weights, write, verify=lambda copy: sha256_of(copy) == card.sha256, replace=False)
    try:
        write_json_atomic(folder / f"{card.name}.json", card.to_json())
    except BaseException:  # Ctrl-C too must leave no half
        with contextlib.suppress(OSError):
            weights.unlink()
        raise
