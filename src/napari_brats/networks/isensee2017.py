"""Isensee's 3D U-Net of 2017: strided convolutions, context modules, summed predictions.

Isensee, Kickingereder, Wick, Bendszus and Maier-Hein, "Brain tumor segmentation and
radiomics survival prediction: contribution to the BRATS 2017 challenge", BrainLes 2017,
arXiv:1802.10508. Layers follow J. Etheredge's Keras version (2019), which differs from the
paper: 12 filters, activation after the convolution, LeakyReLU slope 0.3, sigmoid outputs.
"""

from typing import Any

import torch
from torch import Tensor, nn

from napari_brats.networks.blocks import SameConv3d, check_multiple, init_glorot, init_he_normal

_LEVELS = 5
# Keeps the gradient of the square root finite where a map is constant (std 0).
_TINY_VARIANCE = 1e-12


class InstanceNorm(nn.Module):
    """Per sample and channel: gamma (x - mean) / (std + 1e-3) + beta, population std.

    This is Keras-contrib's formula; PyTorch's own divides by sqrt(variance + eps).

    Attributes
    ----------
    by_planes : bool
        Whether a traced network takes means of planes first. OpenVINO adds the voxels of a
        brain up one after another in float32, which costs four digits. By planes it does not
        know instance norm again, so that sums lie between operations in the network's own
        number type: right for float32, wrong for bfloat16.
    """

    by_planes = False

    def __init__(self, channels: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) -> (N, C, X, Y, Z), computed in float32, returned as given."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            return self._as_compilers_know_it(x)
        variance, mean = torch.var_mean(x.float(), dim=(2, 3, 4), correction=0, keepdim=True)
        scale = self.weight[:, None, None, None] / ((variance + _TINY_VARIANCE).sqrt() + self.eps)
        return ((x - mean) * scale + self.bias[:, None, None, None]).to(x.dtype)

    def _as_compilers_know_it(self, x: Tensor) -> Tensor:
        """Compute the same step by step, which OpenVINO makes one operation of."""
        mean = _mean_of_planes if self.by_planes else _mean
        centered = x - mean(x)
        normal = centered / (mean(centered**2).sqrt() + self.eps)
        return normal * self.weight[:, None, None, None] + self.bias[:, None, None, None]


def _mean(x: Tensor) -> Tensor:
    """(N, C, X, Y, Z) -> (N, C, 1, 1, 1)."""
    return x.mean(dim=(2, 3, 4), keepdim=True)


def _mean_of_planes(x: Tensor) -> Tensor:
    """Compute `_mean` by way of each plane's; compilers would join two means in a row."""
    planes = x.flatten(3).mean(dim=3)
    return planes[..., None, None].mean(dim=2, keepdim=True)


class ConvBlock(nn.Sequential):
    """Convolution, instance norm, LeakyReLU 0.3: each size is divided by the stride."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        conv: nn.Module = nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2)
        if stride > 1:
            conv = SameConv3d(inputs, outputs, kernel, stride)
        super().__init__(conv, InstanceNorm(outputs), nn.LeakyReLU(0.3))
        self.apply(init_he_normal)


class ContextLevel(nn.Module):
    """An input convolution, then two more with channel dropout between, added to it."""

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.shortcut = ConvBlock(inputs, outputs, stride=stride)
        self.main = nn.Sequential(
            ConvBlock(outputs, outputs), nn.Dropout3d(dropout), ConvBlock(outputs, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y, Z) -> (N, O, X/s, Y/s, Z/s); no activation after the sum."""
        shortcut: Tensor = self.shortcut(x)
        y: Tensor = shortcut + self.main(shortcut)
        return y


class Isensee2017(nn.Module):
    """Logits (N, out_channels, X, Y, Z) from images (N, in_channels, X, Y, Z).

    Parameters
    ----------
    in_channels, out_channels : int
        The code's four modalities, and three sigmoid outputs: necrosis, edema, enhancing.
    width : int
        Channels of the first level; they double at each of the four levels below.
    dropout : float
        Channel dropout inside context modules.
    normalized_heads : bool
        Instance norm and LeakyReLU on the prediction heads, as in the Keras code. They
        force predictions of mean zero, so that empty classes cannot be expressed; plain
        convolutions are the default.
    """

    multiple = 16

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 3,
        width: int = 12,
        dropout: float = 0.3,
        normalized_heads: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [width * 2**level for level in range(_LEVELS)]
        inputs = [in_channels, *widths]
        deepest_first = (3, 2, 1, 0)
        self.encoder = nn.ModuleList(
            ContextLevel(inputs[n], widths[n], stride=1 if n == 0 else 2, dropout=dropout)
            for n in range(_LEVELS)
        )
        self.upsample = nn.Upsample(scale_factor=2)
        self.up = nn.ModuleList(ConvBlock(widths[n + 1], widths[n]) for n in deepest_first)
        self.localization = nn.ModuleList(
            nn.Sequential(
                ConvBlock(2 * widths[n], widths[n]), ConvBlock(widths[n], widths[n], kernel=1)
            )
            for n in deepest_first
        )
        head: Any = ConvBlock if normalized_heads else nn.Conv3d
        self.heads = nn.ModuleList(head(widths[n], out_channels, 1) for n in (2, 1, 0))
        if not normalized_heads:
            self.heads.apply(init_glorot)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) -> (N, K, X, Y, Z); sizes are multiples of 16."""
        check_multiple(x, self.multiple, "Isensee's U-Net")
        skips: list[Tensor] = []
        for level in self.encoder:
            x = level(x)
            skips.append(x)  # width, 2w, 4w, 8w, 16w channels at 1, 1/2, 1/4, 1/8, 1/16
        x = skips.pop()
        predictions: list[Tensor] = []
        for up, localize in zip(self.up, self.localization, strict=True):
            x = localize(torch.cat([skips.pop(), up(self.upsample(x))], dim=1))  # 8w, 4w, 2w, w
            predictions.append(x)
        logits: Tensor = self.heads[0](predictions[1])  # K channels at 1/4
        for head, prediction in zip(self.heads[1:], predictions[2:], strict=True):
            logits = self.upsample(logits) + head(prediction)  # at 1/2, then at 1
        return logits
