"""PyTorch state dicts (``.pt``, ``.pth``, ``.ckpt``) for our networks, on request only.

Such files are pickles. They are opened by PyTorch's restricted reader, which makes tensors,
plain containers and what `allowed` lists, and stops at anything else before it is made.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CheckpointError
from napari_brats.networks.weights_file import Entry, misfit, one_line

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_BYTES = 4 * 2**30
"""Room for the optimizer's state of the largest network beside its weights."""

# Under which trainers keep the weights: Lightning and others, plain scripts, nnU-Net.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "network_weights", "net", "network")


def allowed() -> list[Any]:
    """Return the types that a file may hold beside tensors: numbers of NumPy, as nnU-Net saves."""
    import numpy as np
    from numpy._core.multiarray import scalar

    numbers = (np.float16, np.float32, np.float64, np.int32, np.int64, np.bool_)
    return [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),  # as NumPy 1 calls it
        np.dtype,
        *(type(np.dtype(number)) for number in numbers),
    ]


def torch_weights(path: Path, network: "nn.Module", title: str) -> "dict[str, Tensor]":
    """Return a network's state dict from a PyTorch file.

    Parameters
    ----------
    path : Path
        Written by ``torch.save``: a state dict, or a trainer's checkpoint that holds one. A
        prefix that all names share, such as ``module.``, is taken off.
    network : torch.nn.Module
        One of ours, on any device, also the meta device; only its shapes are used.
    title : str
        What to call it in messages.

    Returns
    -------
    dict of str to Tensor
        float32, and int64 counters of batches.

    Raises
    ------
    CheckpointError
        If the file is damaged, holds anything but weights and numbers, or does not hold exactly
        the network's tensors.
    """
    wanted = network.state_dict()
    state = _without_prefix(_state_dict(_loaded(path), path), wanted)
    entries = {
        name: Entry("F32" if value.is_floating_point() else "I64", tuple(value.shape))
        for name, value in state.items()
    }
    problem = misfit(entries, network)
    if problem:
        raise CheckpointError(
            f"{str(path)!r} does not fit {title}: {problem}; give the size and options it was "
            "made with"
        )
    # Copies: a file's tensors may be views of one storage, or of more than they show.
    return {
        name: (value.float() if value.is_floating_point() else value.long()).clone()
        for name, value in state.items()
    }


def _loaded(path: Path) -> object:
    """Return what the restricted reader makes of a file."""
    import torch

    try:
        size = path.stat().st_size
    except OSError as error:
        raise CheckpointError(
            f"cannot read the weights {str(path)!r}: {error.strerror}; check the path"
        ) from error
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{str(path)!r} has {size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} GiB "
            "that a checkpoint may have; save the state dict alone"
        )
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed()):
            warnings.simplefilter("ignore")  # of how old the format is
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a crafted file can fail in any way
        # PyTorch's own advice, to open the file without restrictions, must not be passed on.
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        why = f"it holds {found[1]!r}" if found else one_line(error).partition(". ")[0]
        raise CheckpointError(
            f"{str(path)!r} is damaged or holds more than weights ({why}) and was not imported; "
            "where it comes from, save the state dict alone: "
            "torch.save(network.state_dict(), 'weights.pt')"
        ) from error


def _state_dict(content: object, path: Path) -> "dict[str, Tensor]":
    """Return the tensors of the state dict, wherever a trainer has put it."""
    import torch

    for candidate in _candidates(content):
        tensors = {
            str(name): value
            for name, value in candidate.items()
            if isinstance(value, torch.Tensor) and value.layout == torch.strided
        }
        if tensors:
            return tensors
    raise CheckpointError(
        f"{str(path)!r} holds no state dict, neither by itself nor as "
        f"{', '.join(map(repr, _WRAPPERS))}; save it with torch.save(network.state_dict(), ...)"
    )


def _candidates(content: object) -> Iterator[Mapping[Any, Any]]:
    if isinstance(content, Mapping):
        yield content
        for name in _WRAPPERS:
            inner = content.get(name)
            if isinstance(inner, Mapping):
                yield inner


def _without_prefix(
    state: "dict[str, Tensor]", wanted: "Mapping[str, Tensor]"
) -> "dict[str, Tensor]":
    """Return the tensors below the prefix under which all that is wanted stands, if there is one.

    What stands elsewhere, such as a loss's weights, belongs to the trainer.
    """
    first = next(iter(wanted))
    prefixes = [name.removesuffix(first) for name in state if name.endswith(first)]
    for prefix in sorted(prefixes, key=len):
        if all(f"{prefix}{name}" in state for name in wanted):
            return {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
    return state
