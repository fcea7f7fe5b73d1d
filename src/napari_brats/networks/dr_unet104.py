"""DR-Unet104: a 2D U-Net whose encoder is a 104-layer residual network of bottlenecks.

Colman, Zhang, Duan and Ye, "DR-Unet104 for multimodal MRI brain tumor segmentation",
BrainLes 2020, arXiv:2011.02840. Layers follow the authors' published code. Dropout is the
paper's best model's 0.2 (the code has 0.5); batch norm eps is that of the training script.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_brats.networks.blocks import UpConv2d, batch_norm, init_glorot, init_he_normal

_DEPTHS = (2, 3, 3, 5, 14, 4)
_PADDED_LEVEL = 3  # 30 x 30 becomes 32 x 32 there, so that it halves twice more
_MULTIPLE, _REMAINDER = 32, 16


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions, each after batch norm and ReLU, plus the raw input.

    ``kind`` is ``"identity"``; ``"down"``, where the first convolution and a projected
    shortcut have stride 2; or ``"input"``, the network's first block: projected shortcut,
    and nothing before the first convolution.
    """

    def __init__(self, inputs: int, inner: int, kind: str, eps: float) -> None:
        super().__init__()
        stride = 2 if kind == "down" else 1
        first = nn.Conv2d(inputs, inner, 1, stride=stride)
        self.main = nn.Sequential(
            *([first] if kind == "input" else [batch_norm(2, inputs, eps), nn.ReLU(), first]),
            batch_norm(2, inner, eps),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, padding=1),
            batch_norm(2, inner, eps),
            nn.ReLU(),
            nn.Conv2d(inner, 4 * inner, 1),
        )
        self.shortcut: nn.Module = nn.Identity()
        if kind != "identity":
            self.shortcut = nn.Conv2d(inputs, 4 * inner, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y) -> (N, 4 inner, X / stride, Y / stride)."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each after batch norm and ReLU, plus the projected raw input."""

    def __init__(self, inputs: int, outputs: int, eps: float) -> None:
        super().__init__()
        self.main = nn.Sequential(
            batch_norm(2, inputs, eps),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            batch_norm(2, outputs, eps),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, X, Y) -> (N, O, X, Y)."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


def level(inputs: int, inner: int, depth: int, kind: str, eps: float) -> nn.Sequential:
    """Return ``depth`` bottlenecks, the first of the given kind, the rest identities."""
    first = Bottleneck(inputs, inner, kind, eps)
    rest = (Bottleneck(4 * inner, inner, "identity", eps) for _ in range(depth - 1))
    return nn.Sequential(first, *rest)


class DRUNet104(nn.Module):
    """Logits (N, out_channels, X, Y) from slices (N, in_channels, X, Y).

    The published network takes sizes that are 16 more than a multiple of 32, such as 240.
    Others are padded with zeros at the end of each axis up to the next such size, and the
    logits cropped back; at a published size nothing is padded.

    Parameters
    ----------
    in_channels, out_channels : int
        The paper's four modalities and four softmax classes.
    widths : sequence of int
        Inner channels of the six levels' bottlenecks; a level's maps have four times as many.
    dropout : float
        After every level but the first and the last.
    norm_eps : float
        Epsilon of batch norm.
    pad_to_valid : bool
        False: raise ValueError for other sizes instead of padding.
    """

    multiple = 1

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 4,
        widths: Sequence[int] = (16, 32, 64, 128, 256, 512),
        dropout: float = 0.2,
        norm_eps: float = 1e-5,
        pad_to_valid: bool = True,
    ) -> None:
        super().__init__()
        if len(widths) != len(_DEPTHS):
            raise ValueError(f"DR-Unet104 needs {len(_DEPTHS)} widths, got {len(widths)}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.pad_to_valid = pad_to_valid
        maps = [4 * width for width in widths]
        inputs = [in_channels, *maps]
        kinds = ["input"] + ["down"] * 5
        self.encoder = nn.ModuleList(
            level(inputs[n], widths[n], depth, kinds[n], norm_eps)
            for n, depth in enumerate(_DEPTHS)
        )
        self.dropout = nn.Dropout(dropout)
        deepest_first = (4, 3, 2, 1, 0)
        outputs = [2 * widths[0], *maps]
        below = [maps[5], *(outputs[n] for n in deepest_first)]
        self.up = nn.ModuleList(
            UpConv2d(below[step], maps[n]) for step, n in enumerate(deepest_first)
        )
        self.decoder = nn.ModuleList(
            ResidualBlock(2 * maps[n], outputs[n], norm_eps) for n in deepest_first
        )
        last = nn.Conv2d(outputs[0], out_channels, 1)
        self.head = nn.Sequential(batch_norm(2, outputs[0], norm_eps), nn.ReLU(), last)
        self.apply(init_glorot)
        for part in (self.encoder, self.decoder):
            part.apply(init_he_normal)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y) -> (N, K, X, Y); any X and Y, see the class."""
        size_x, size_y = int(x.shape[2]), int(x.shape[3])
        pad_x, pad_y = -(size_x - _REMAINDER) % _MULTIPLE, -(size_y - _REMAINDER) % _MULTIPLE
        if pad_x or pad_y:
            self._check_padding_allowed((size_x, size_y), (size_x + pad_x, size_y + pad_y))
            x = F.pad(x, (0, pad_y, 0, pad_x))
        skips: list[Tensor] = []
        for n, stage in enumerate(self.encoder):
            x = stage(x)
            if n:
                x = self.dropout(x)
            if n == _PADDED_LEVEL:
                x = F.pad(x, (1, 1, 1, 1))  # 30 -> 32
            skips.append(x)  # 64, 128, 256, 512, 1024, 2048 at 240, 120, 60, 32, 16, 8
        x = skips.pop()
        for up, block in zip(self.up, self.decoder, strict=True):
            x = torch.cat([up(x), skips.pop()], dim=1)  # 2048, 1024, 512, 256, 128
            if len(skips) == _PADDED_LEVEL:
                x = x[:, :, 1:-1, 1:-1]  # 32 -> 30
            x = block(x)  # 512, 256, 128, 64, 32
            if skips:
                x = self.dropout(x)
        logits: Tensor = self.head(x)
        return logits[:, :, :size_x, :size_y]

    def _check_padding_allowed(self, found: tuple[int, int], wanted: tuple[int, int]) -> None:
        if not self.pad_to_valid:
            raise ValueError(
                f"DR-Unet104 needs sizes that are {_REMAINDER} more than a multiple of "
                f"{_MULTIPLE}, got {found}; pad to {wanted} or use pad_to_valid=True"
            )
