"""Batch norm folded into the convolution before it: the same numbers in fewer passes of memory."""

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.nn.modules.batchnorm import _BatchNorm

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm2d, nn.BatchNorm3d)


def fold_batch_norm(network: nn.Module) -> int:
    """Fold every batch norm that follows a convolution in an `nn.Sequential` into it.

    In evaluation batch norm is one factor and one shift a channel, which the convolution's
    weights and bias can hold.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode; changed in place.

    Returns
    -------
    int
        How many were folded.
    """
    folded = 0
    for part in list(network.modules()):
        if isinstance(part, nn.Sequential):
            folded += _fold_neighbors(part)
    return folded


def _fold_neighbors(chain: nn.Sequential) -> int:
    folded = 0
    slots = list(_slots(chain))
    for (before, m), (after, n) in pairwise(slots):
        convolution, norm = before[m], after[n]
        if isinstance(convolution, _CONVOLUTIONS) and isinstance(norm, _NORMS):
            before[m] = fuse_conv_bn_eval(convolution, _evaluating(norm))
            after[n] = nn.Identity()
            folded += 1
    return folded


def _slots(chain: nn.Sequential) -> "Iterator[tuple[nn.Sequential, int]]":
    """Yield where the layers of a chain stand, those of the chains in it included, in order."""
    for place, part in enumerate(chain):
        if isinstance(part, nn.Sequential):
            yield from _slots(part)
        else:
            yield chain, place


def _evaluating(norm: "_BatchNorm") -> "_BatchNorm":
    if norm.training:
        raise ValueError("batch norm can be folded in evaluation mode only; call eval() first")
    return norm
