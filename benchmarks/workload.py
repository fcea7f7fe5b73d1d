"""What one pass of a network over a volume takes: operations, and numbers read and written."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from peers import padded_sides, seeded
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from napari_brats.inference.folding import fold_batch_norm
from napari_brats.networks.registry import model_spec


@dataclass(frozen=True)
class Workload:
    """One pass over a whole padded volume.

    Parameters
    ----------
    tflop : float
        Operations of the convolutions, in 10^12.
    values : float
        How many numbers the network's operations read and write, each operation for itself,
        batch norm folded where it can be; the weights are apart.
    weights : int
        How many weights there are; each is read once.
    """

    tflop: float
    values: float
    weights: int

    def terabytes(self, itemsize: int) -> float:
        """Return what is moved, in 10^12 bytes, with numbers of so many bytes."""
        return (self.values + self.weights) * itemsize / 1e12


def workload(model: str, size: str, volume: np.ndarray) -> Workload:
    """Return what one pass over a volume (C, X, Y, Z) takes, reckoned from a small one."""
    spec, network = model_spec(model), seeded(model, size)
    side = 48 if spec.ndim == 2 else 32
    small = torch.zeros(1, network.in_channels, *(side,) * spec.ndim)
    times = float(np.prod(padded_sides(volume, spec)) / side**spec.ndim)
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        network(small)
    return Workload(
        tflop=counter.get_total_flops() * times / 1e12,
        values=_values_moved(network, small) * times,
        weights=sum(one.numel() for one in network.parameters()),
    )


def _values_moved(network: nn.Module, batch: Tensor) -> int:
    fold_batch_norm(network)
    with torch.no_grad(), _Traffic() as traffic:
        network(batch)
    return traffic.values


class _Traffic(TorchDispatchMode):
    """Counts what every operation reads and writes, but for weights and for mere views."""

    def __init__(self) -> None:
        super().__init__()
        self.values = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.values += sum(one.numel() for one in _maps((args, kwargs, result)))
        return result


def _maps(what: Any) -> Iterator[Tensor]:
    """Yield the maps among an operation's arguments: batch, channels and axes."""
    for leaf in tree_leaves(what):
        if isinstance(leaf, Tensor) and not isinstance(leaf, nn.Parameter) and leaf.ndim > 2:
            yield leaf
