"""Checkpoints: weights in a safetensors file and, beside it, the card that binds their use.

Only safetensors are read: a pickle can run programs when it is opened, so none is ever
opened. The card pins the weights' SHA-256, which catches damage and mix-ups; it is no
signature. A network without trained weights is refused, never run with random ones.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import OUTPUTS, Card, bundled_card
from napari_brats.networks.catalog import checkpoint_pair, find_checkpoint, named_card
from napari_brats.networks.pair import write_pair
from napari_brats.networks.registry import create_model, model_options, model_spec
from napari_brats.networks.weights_file import check_fits, one_line, read_header, read_tensors
from napari_brats.preprocessing.recipes import recipe_named

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "OUTPUTS",
    "Card",
    "bundled_card",
    "load_checkpoint",
    "read_card",
    "save_checkpoint",
]


def save_checkpoint(
    network: "nn.Module", card: Card, path: str | Path, *, half: bool = False
) -> Card:
    """Write ``path.safetensors`` and ``path.json``; a kill in between leaves a whole pair.

    Parameters
    ----------
    network : torch.nn.Module
        On any device; must be what the card's architecture, size and options build.
    card : Card
        Its ``sha256``, ``parameters``, ``created`` and ``software`` are filled in.
    path : str or Path
        With or without the suffix ``.safetensors``.
    half : bool
        Store the parameters as float16; batch norm's running statistics stay float32.

    Returns
    -------
    Card
        As written.

    Raises
    ------
    CheckpointError
        If the network is not the card's, or a weight is not finite (in half precision).
    OutputError
        If the files cannot be written.
    """
    from safetensors.torch import save

    from napari_brats.networks.blocks import parameter_count

    weights, card_path = checkpoint_pair(Path(path))
    check_card(card, "the card")
    expected = meta_network(card, "the card")
    tensors = _storable(network, half=half)
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.state_dict().items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
        raise CheckpointError(
            f"the network is not the {network_title(card)} of its card; put the size and every "
            "option it was created with in the card"
        )
    raw = save(tensors, metadata={"format": "pt"})
    card = replace(
        card,
        sha256=hashlib.sha256(raw).hexdigest(),
        parameters=parameter_count(expected),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software=_software(),
    )

    write_pair(weights, card_path, raw, card)
    return card


def load_checkpoint(source: str | Path) -> tuple["nn.Module", Card]:
    """Build a network with trained weights.

    Parameters
    ----------
    source : str or Path
        As in `find_checkpoint`: the name of bundled or added weights, or the path of a
        ``.safetensors`` file.

    Returns
    -------
    tuple of torch.nn.Module and Card
        The network on the CPU, in float32 and evaluation mode.

    Raises
    ------
    CheckpointError
        If there are no weights, or they are damaged, unsafe or do not fit their card.
    """
    from napari_brats.networks.blocks import parameter_count

    weights, card_path = find_checkpoint(source)
    card = _read_card(card_path)
    network = meta_network(card, f"the card {str(card_path)!r}")
    count = parameter_count(network)
    if card.parameters != count:
        raise CheckpointError(
            f"the card {str(card_path)!r} says {card.parameters} parameters, but "
            f"{network_title(card)} has {count}; get the weights and the card that were saved "
            "together"
        )
    check_fits(read_header(weights), network, network_title(card), weights)
    network.load_state_dict(read_tensors(weights, card.sha256), assign=True)
    return network.eval(), card


def read_card(source: str | Path) -> Card:
    """Return the card of a checkpoint, without loading torch.

    Parameters
    ----------
    source : str or Path
        As in `load_checkpoint`.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, or its card is damaged or for another version.
    """
    return _read_card(find_checkpoint(source)[1])


def _read_card(path: Path) -> Card:
    card = named_card(path)
    check_card(card, f"the card {str(path)!r}")
    return card


def check_card(card: Card, source: str) -> None:
    """Check what a card says against the tables of models, recipes and outputs.

    Raises
    ------
    CheckpointError
        Naming ``source`` and the field that is wrong.
    """
    try:
        model_options(card.architecture, card.size)
        recipe = recipe_named(card.recipe)
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None
    if card.modalities != recipe.modalities:
        raise CheckpointError(
            f"{source} says modalities {', '.join(card.modalities)}, but recipe {card.recipe!r} "
            f"gives {', '.join(recipe.modalities)}; correct one of them"
        )
    others = set(card.modalities) if len(card.modalities) > 1 else set()
    if not set(card.may_lack) <= others:
        raise CheckpointError(
            f"{source} says that {', '.join(card.may_lack)} may be missing, expected some of its "
            f"modalities {', '.join(card.modalities)}, two at least; correct 'may_lack'"
        )
    if card.outputs not in OUTPUTS:
        raise CheckpointError(
            f"{source} has unknown outputs {card.outputs!r}; choose one of {', '.join(OUTPUTS)}"
        )


def meta_network(card: Card, source: str) -> "nn.Module":
    """Build the card's network on the meta device, which takes no memory, to compare shapes with.

    Raises
    ------
    CheckpointError
        Naming ``source``, if the options or the numbers of channels do not fit.
    """
    import torch

    try:
        with torch.device("meta"):
            network: Any = create_model(card.architecture, card.size, **card.options)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise CheckpointError(
            f"{source} has options that {card.architecture!r} cannot be built with "
            f"({one_line(error)}); get the card that was saved with the weights"
        ) from error
    channels = (len(card.modalities), len(OUTPUTS[card.outputs].channels))
    if (network.in_channels, network.out_channels) != channels:
        raise CheckpointError(
            f"{source}: {network_title(card)} has {network.in_channels} input and "
            f"{network.out_channels} output channels, but its modalities and outputs ask for "
            f"{channels[0]} and {channels[1]}; correct in_channels or out_channels in the options"
        )
    built: nn.Module = network
    return built


def _storable(network: "nn.Module", *, half: bool) -> dict[str, "Tensor"]:
    """Return the network's tensors as they are stored, all finite."""
    import torch

    parameters = {name for name, _ in network.named_parameters()}
    stored: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.is_floating_point():
            tensor = tensor.to(torch.float16 if half and name in parameters else torch.float32)
            if not tensor.isfinite().all():
                cure = "save with half=False or train again" if half else "train again"
                raise CheckpointError(f"{name!r} has weights that are not finite; {cure}")
        stored[name] = tensor
    return stored


def network_title(card: Card) -> str:
    """Return what people call a card's network, e.g. ``"dResU-Net lite"``."""
    return f"{model_spec(card.architecture).title} {card.size}"


def _software() -> str:
    return ", ".join(f"{package} {version(package)}" for package in ("napari-brats", "torch"))
