"""Weights of other programs become a checkpoint of ours: safetensors with a card.

What the card says beyond the weights, a person has to state: above all the preprocessing, the
wrong choice of which is the commonest cause of wrong masks.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CheckpointError, TakenError
from napari_brats.networks.card import OUTPUTS, Card
from napari_brats.networks.catalog import checkpoint_pair
from napari_brats.networks.checkpoint import (
    check_card,
    meta_network,
    network_title,
    save_checkpoint,
)
from napari_brats.networks.registry import model_options, model_spec
from napari_brats.preprocessing.recipes import RECIPES, recipe_named
from napari_brats.volumes import sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL_ORDERS: Mapping[str, tuple[str, ...]] = {
    "brats": ("NCR", "ED", "ET"),
    "nnunet": ("ED", "NCR", "ET"),
}
"""Order of the tissues' channels; nnU-Net's conversion of BraTS exchanges the first two."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLES = (b"PK", b"\x80")


@dataclass(frozen=True)
class Source:
    """A file with weights and what a person knows about it.

    Parameters
    ----------
    path : Path
        Keras HDF5 or PyTorch; its content decides, not its name.
    architecture, size, options
        As in `Card`.
    recipe : str, optional
        Row of RECIPES; for Keras, that of the published code by default.
    outputs : str, optional
        Row of OUTPUTS; what the network's size has by default.
    label_order : str
        Row of `LABEL_ORDERS`, for outputs by tissue.
    license : str
        Of the weights.
    """

    path: Path
    architecture: str
    size: str = "paper"
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    outputs: str | None = None
    label_order: str = "brats"
    license: str = ""


def import_weights(
    source: Source, output: str | Path, *, on_notice: Callable[[str], None] | None = None
) -> Path:
    """Read another program's weights and write a checkpoint.

    Parameters
    ----------
    source : Source
        What to read, and what it is.
    output : str or Path
        The ``.safetensors`` file to write; its card goes beside it. Its stem names the model.
    on_notice : callable, optional
        Takes one line about each thing that was assumed.

    Returns
    -------
    Path
        The weights' file.

    Raises
    ------
    CheckpointError
        If the file is neither kind, damaged, unsafe or does not fit what was stated.
    OutputError
        If the checkpoint cannot be written; a `TakenError` if it exists already.
    """
    say = on_notice or _ignore
    weights, card_path = checkpoint_pair(Path(output))
    for path in (weights, card_path):
        if path.exists():
            raise TakenError(f"{str(path)!r} exists already; give another --output")
    is_keras = _is_keras(source.path)
    card = _card(source, weights.stem, is_keras=is_keras, say=say)
    check_card(card, "the import")
    network = meta_network(card, "the import")
    # Imported here: each reads one program's files and needs its packages.
    if is_keras:
        from napari_brats.networks.keras_import import keras_weights as read
    else:
        from napari_brats.networks.torch_import import torch_weights as read
    state = read(source.path, network, network_title(card))
    _reorder(state, network, source, card.outputs, say, warn=not is_keras)
    network.load_state_dict(state, assign=True)
    save_checkpoint(network, card, weights)
    return weights


def _is_keras(path: Path) -> bool:
    """Tell the two kinds of files by their first bytes."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise CheckpointError(
            f"cannot read {str(path)!r}: {error.strerror or error}; check the path"
        ) from error
    if start != _HDF5 and not start.startswith(_PICKLES):
        raise CheckpointError(
            f"{str(path)!r} is neither HDF5, as Keras writes, nor a file of torch.save; "
            "expected .h5, .hdf5, .pt, .pth or .ckpt"
        )
    return start == _HDF5


def _card(source: Source, name: str, *, is_keras: bool, say: Callable[[str], None]) -> Card:
    spec = model_spec(source.architecture)
    recipe = source.recipe
    if recipe is None:
        if not is_keras:
            raise CheckpointError(
                "the file does not say which preprocessing its weights were trained with; give "
                f"it with --recipe, one of {', '.join(RECIPES)}"
            )
        recipe = f"{spec.recipe}-code" if f"{spec.recipe}-code" in RECIPES else spec.recipe
        say(f"preprocessing taken from the published code: recipe {recipe!r}")
    model_options(source.architecture, source.size)
    return Card(
        name=re.sub(r"[^A-Za-z0-9._+-]+", "-", name),
        architecture=source.architecture,
        size=source.size,
        options=source.options,
        recipe=recipe,
        modalities=recipe_named(recipe).modalities,
        outputs=source.outputs or spec.outputs[source.size],
        training={
            "imported_from": source.path.name,
            "format": "Keras HDF5" if is_keras else "PyTorch",
            "sha256": sha256_of(source.path),
            "label_order": source.label_order,
        },
        license=source.license,
        limits=("Imported: never scored here, and its training is known to its authors only.",),
        citation=(spec.paper,),
    )


def _reorder(
    state: "dict[str, Tensor]",
    network: "nn.Module",
    source: Source,
    outputs: str,
    say: Callable[[str], None],
    *,
    warn: bool,
) -> None:
    """Bring the last layers' channels into our order of tissues, or warn that they may not be."""
    ours = OUTPUTS[outputs].channels
    if not set(LABEL_ORDERS["brats"]) <= set(ours):
        if source.label_order != "brats":
            say(f"the channels are {', '.join(ours)}, so --label-order does not count")
        return
    if source.label_order == "brats":
        if warn:
            say(
                f"the channels are taken as {', '.join(ours)}; weights trained on nnU-Net's labels "
                "have NCR and ED the other way round, and without --label-order nnunet their "
                "masks would be wrong"
            )
        return
    theirs = (*(name for name in ours if name == "background"), *LABEL_ORDERS[source.label_order])
    order = [theirs.index(name) for name in ours]
    for name in _last_layers(network):
        state[name] = state[name][order].contiguous()
    say(f"channels brought from {', '.join(theirs)} into the order {', '.join(ours)}")


def _last_layers(network: "nn.Module") -> list[str]:
    """Return the names of the tensors that belong to output channels."""
    from torch.nn.modules.conv import _ConvNd

    found: list[str] = []
    for head_name, head in network.named_children():
        if not head_name.startswith("head"):
            continue
        after = False
        for name, module in head.named_modules(prefix=head_name):
            # Whatever norm follows a last convolution has its channels.
            after = after or (
                isinstance(module, _ConvNd) and module.out_channels == network.out_channels
            )
            if after:
                found += [f"{name}.{key}" for key, _ in module.named_parameters(recurse=False)]
    return found


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
