"""Kermi's 2D residual U-Net: pre-activation blocks in encoder and decoder, PReLU.

Kermi, Mahmoudi and Khadir, "Deep convolutional neural networks using U-Net for automatic
brain tumor segmentation in multimodal MRI volumes", BrainLes 2018, LNCS 11384,
doi:10.1007/978-3-030-11726-9_4. Layers follow the network published with the paper.
"""

import torch
from torch import Tensor, nn

from napari_brats.networks.blocks import SameConv2d, batch_norm, check_multiple, init_glorot


def pre_activation(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """Batch norm, PReLU with one slope a channel (0 at first, as in Keras), convolution."""
    return nn.Sequential(
        batch_norm(2, inputs),
        nn.PReLU(inputs, init=0.0),
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
    )


class ResidualBlock(nn.Module):
    """Two pre-activated convolutions plus the raw input, projected where channels change."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(pre_activation(inputs, outputs), pre_activation(outputs, outputs))
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y) -> (N, O, X, Y)."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


class GaussianNoise(nn.Module):
    """Add normal noise while training; the identity otherwise."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return x + self.std * torch.randn_like(x) if self.training and self.std else x


class Kermi2018(nn.Module):
    """Logits (N, out_channels, X, Y) from slices (N, in_channels, X, Y).

    Parameters
    ----------
    in_channels, out_channels : int
        The paper's four modalities and four softmax classes.
    width : int
        Channels of the first level; they double at each of the three levels below.
    noise : float
        Standard deviation of the noise on the input while training.
    """

    multiple = 8

    def __init__(
        self, in_channels: int = 4, out_channels: int = 4, width: int = 64, noise: float = 0.01
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [width * 2**level for level in range(4)]
        deepest_first = (2, 1, 0)
        self.noise = GaussianNoise(noise)
        self.stem = SameConv2d(in_channels, width, 2)
        self.encoder = nn.ModuleList(ResidualBlock(widths[n], widths[n]) for n in range(3))
        self.down = nn.ModuleList(
            nn.Conv2d(widths[n], widths[n + 1], 2, stride=2) for n in range(3)
        )
        self.bottom = ResidualBlock(widths[3], widths[3])
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), SameConv2d(widths[n + 1], widths[n], 2))
            for n in deepest_first
        )
        self.decoder = nn.ModuleList(ResidualBlock(2 * widths[n], widths[n]) for n in deepest_first)
        self.head = pre_activation(width, out_channels, kernel=1)
        self.apply(init_glorot)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y) -> (N, K, X, Y); sizes are multiples of 8."""
        check_multiple(x, self.multiple, "Kermi's U-Net")
        x = self.stem(self.noise(x))  # width channels
        skips: list[Tensor] = []
        for block, down in zip(self.encoder, self.down, strict=True):
            x = block(x)
            skips.append(x)  # width, 2w, 4w channels at 1, 1/2, 1/4
            x = down(x)
        x = self.bottom(x)  # 8w channels at 1/8
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat([skips.pop(), up(x)], dim=1))  # 4w, 2w, w channels
        logits: Tensor = self.head(x)
        return logits
