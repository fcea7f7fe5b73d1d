"""dResU-Net: a 3D U-Net with a residual encoder and a plain decoder.

Raza, Ijaz Bajwa, Mehmood, Anwar and Hassan Jamal, "dResU-Net: 3D deep residual U-Net based
brain tumor segmentation from multimodal MRI", Biomedical Signal Processing and Control 79
(2023) 103861, doi:10.1016/j.bspc.2022.103861. Layers follow the authors' published code.
"""

import torch
from torch import Tensor, nn

from napari_brats.networks.blocks import UpConv3d, batch_norm, check_multiple, init_glorot


class ResidualBlock(nn.Module):
    """Two convolutions and a projected shortcut, added, then ReLU (post-activation)."""

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, padding=1),
            batch_norm(3, outputs),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, padding=1),
            batch_norm(3, outputs),
            nn.Dropout(dropout),
        )
        self.shortcut = nn.Sequential(nn.Conv3d(inputs, outputs, 1), batch_norm(3, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y, Z) -> (N, O, X, Y, Z)."""
        return torch.relu(self.main(x) + self.shortcut(x))


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution, batch norm, ReLU, twice; not residual."""
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, padding=1),
        batch_norm(3, outputs),
        nn.ReLU(),
        nn.Conv3d(outputs, outputs, 3, padding=1),
        batch_norm(3, outputs),
        nn.ReLU(),
    )


class DResUNet3D(nn.Module):
    """Logits (N, out_channels, X, Y, Z) from images (N, in_channels, X, Y, Z).

    Parameters
    ----------
    in_channels, out_channels : int
        The paper's four modalities and four softmax classes.
    width : int
        Channels of the first level; they double at each of the four levels below.
    block_dropout, level_dropout : float
        Inside residual blocks and after each pooling or decoder level.
    """

    multiple = 16

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 4,
        width: int = 16,
        block_dropout: float = 0.2,
        level_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [width * 2**level for level in range(5)]
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleList(
            ResidualBlock(inputs[level], widths[level], block_dropout) for level in range(4)
        )
        self.pool = nn.Sequential(nn.MaxPool3d(2), nn.Dropout(level_dropout))
        self.bottleneck = double_conv(widths[3], widths[4])
        deepest_first = (3, 2, 1, 0)
        self.up = nn.ModuleList(UpConv3d(widths[n + 1], widths[n]) for n in deepest_first)
        self.decoder = nn.ModuleList(double_conv(2 * widths[n], widths[n]) for n in deepest_first)
        self.dropout = nn.Dropout(level_dropout)
        self.head = nn.Conv3d(width, out_channels, 1)
        self.apply(init_glorot)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) -> (N, K, X, Y, Z); sizes are multiples of 16."""
        check_multiple(x, self.multiple, "dResU-Net")
        skips: list[Tensor] = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)  # before pooling and dropout: width, 2w, 4w, 8w channels
            x = self.pool(x)
        x = self.bottleneck(x)  # 16w channels at 1/16
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat([up(x), skips.pop()], dim=1))
            if skips:
                x = self.dropout(x)
        logits: Tensor = self.head(x)
        return logits
