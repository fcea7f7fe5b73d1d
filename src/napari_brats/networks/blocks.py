"""Building blocks that several networks share, with TensorFlow's exact padding.

TensorFlow's "same" pads the odd voxel at the end, PyTorch at both sides: for a kernel of 3
with stride 2 the two differ by one voxel. The helpers here follow TensorFlow, so that
weights trained in Keras can be loaded unchanged. Keras defaults: batch norm eps 1e-3 and
momentum 0.99 (PyTorch's 0.01), Glorot-uniform kernels, zero biases.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

# Standard deviation of a unit normal distribution cut off at two standard deviations.
_CUT_NORMAL_STD = 0.87962566103423978


def batch_norm(ndim: int, channels: int, eps: float = 1e-3) -> nn.Module:
    """Batch norm with Keras' defaults for 2D or 3D maps."""
    kind = nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d
    return kind(channels, eps=eps, momentum=0.01)


def same_padding(sizes: Sequence[int], kernel: int, stride: int) -> list[int]:
    """Return TensorFlow's "same" padding in the order of `torch.nn.functional.pad`.

    Parameters
    ----------
    sizes : sequence of int
        Spatial sizes, first axis first.
    kernel, stride : int
        The same along every axis.

    Returns
    -------
    list of int
        Before and after of the last axis, then of the one before it, and so on.

    Examples
    --------
    >>> same_padding((8, 9), kernel=3, stride=2)
    [1, 1, 0, 1]
    """
    pads: list[int] = []
    for size in reversed(sizes):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return pads


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's "same": n -> ceil(n / stride)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y) -> (N, O, ceil(X / stride), ceil(Y / stride))."""
        pads = same_padding(x.shape[2:], self.kernel_size[0], self.stride[0])
        return super().forward(F.pad(x, pads))


class SameConv3d(nn.Conv3d):
    """Convolution padded as TensorFlow's "same": n -> ceil(n / stride)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y, Z) -> (N, O, and each size divided by the stride, rounded up)."""
        pads = same_padding(x.shape[2:], self.kernel_size[0], self.stride[0])
        return super().forward(F.pad(x, pads))


class UpConv2d(nn.Module):
    """Transposed convolution 3^2, stride 2, padded as TensorFlow's "same": n -> 2n.

    PyTorch with padding 0 gives 2n + 1; the last row and column are dropped.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y) -> (N, O, 2X, 2Y)."""
        y: Tensor = self.conv(x)
        return y[:, :, :-1, :-1]


class UpConv3d(nn.Module):
    """Transposed convolution 3^3, stride 2, padded as TensorFlow's "same": n -> 2n.

    PyTorch with padding 0 gives 2n + 1; the last row, column and slice are dropped.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(inputs, outputs, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y, Z) -> (N, O, 2X, 2Y, 2Z)."""
        y: Tensor = self.conv(x)
        return y[:, :, :-1, :-1, :-1]


def init_glorot(module: nn.Module) -> None:
    """Keras' default initialization: Glorot-uniform kernels, zero biases."""
    if isinstance(module, _ConvNd):
        nn.init.xavier_uniform_(module.weight)
        _zero_bias(module)


def init_he_uniform(module: nn.Module) -> None:
    """Keras' ``he_uniform``: kernels within +-sqrt(6 / fan_in), zero biases."""
    if isinstance(module, _ConvNd):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        _zero_bias(module)


def init_he_normal(module: nn.Module) -> None:
    """Keras' ``he_normal``: variance 2 / fan_in, cut off at two standard deviations."""
    if isinstance(module, _ConvNd):
        fan_in = module.weight[0].numel()
        spread = math.sqrt(2.0 / fan_in) / _CUT_NORMAL_STD
        nn.init.trunc_normal_(module.weight, std=spread, a=-2 * spread, b=2 * spread)
        _zero_bias(module)


def _zero_bias(module: _ConvNd) -> None:
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def check_multiple(x: Tensor, multiple: int, name: str) -> None:
    """Raise ValueError with the cure if a spatial size is not a multiple of ``multiple``."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return  # sizes are symbols then, and comparing them warns
    sizes = tuple(int(size) for size in x.shape[2:])
    if any(size % multiple for size in sizes):
        wanted = tuple(-(-size // multiple) * multiple for size in sizes)
        raise ValueError(
            f"{name} needs sizes that are multiples of {multiple}, got {sizes}; pad to {wanted}"
        )
