"""Plain 3D U-Net, the baseline: no residual connection and no normalization layer.

After the public "CV-13 BraTS2020 semantic segmentation" code (2023), a 3D U-Net as in
Çiçek, Abdulkadir, Lienkamp, Brox and Ronneberger, "3D U-Net: learning dense volumetric
segmentation from sparse annotation", MICCAI 2016, arXiv:1606.06650. Three modalities.
"""

import torch
from torch import Tensor, nn

from napari_brats.networks.blocks import check_multiple, init_glorot, init_he_uniform

_DOWN_DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)
_UP_DROPOUT = (0.2, 0.2, 0.1, 0.1)


def unit(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    """Convolution, ReLU, dropout, convolution, ReLU: (N, I, X, Y, Z) -> (N, O, X, Y, Z)."""
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv3d(outputs, outputs, 3, padding=1),
        nn.ReLU(),
    )


class UNet3D(nn.Module):
    """Logits (N, out_channels, X, Y, Z) from images (N, in_channels, X, Y, Z).

    Parameters
    ----------
    in_channels, out_channels : int
        The code's three modalities and four softmax classes.
    width : int
        Channels of the first level; they double at each of the four levels below.
    dropout_scale : float
        Factor on the published dropout of every unit (0.1 at the top to 0.3 at the bottom).
    """

    multiple = 16

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 4,
        width: int = 16,
        dropout_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        widths = [width * 2**level for level in range(5)]
        inputs = [in_channels, *widths]
        down = [rate * dropout_scale for rate in _DOWN_DROPOUT]
        self.encoder = nn.ModuleList(unit(inputs[n], widths[n], down[n]) for n in range(4))
        self.pool = nn.MaxPool3d(2)
        self.bottom = unit(widths[3], widths[4], down[4])
        deepest_first = (3, 2, 1, 0)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(widths[n + 1], widths[n], 2, stride=2) for n in deepest_first
        )
        self.decoder = nn.ModuleList(
            unit(2 * widths[n], widths[n], rate * dropout_scale)
            for n, rate in zip(deepest_first, _UP_DROPOUT, strict=True)
        )
        self.head = nn.Conv3d(width, out_channels, 1)
        self.apply(init_glorot)
        for part in (self.encoder, self.bottom, self.decoder):
            part.apply(init_he_uniform)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) -> (N, K, X, Y, Z); sizes are multiples of 16."""
        check_multiple(x, self.multiple, "plain 3D U-Net")
        skips: list[Tensor] = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)  # width, 2w, 4w, 8w channels at 1, 1/2, 1/4, 1/8
            x = self.pool(x)
        x = self.bottom(x)  # 16w channels at 1/16
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat([up(x), skips.pop()], dim=1))  # 8w, 4w, 2w, w channels
        logits: Tensor = self.head(x)
        return logits
