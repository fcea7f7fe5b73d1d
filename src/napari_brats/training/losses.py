"""Losses for region networks."""

import torch
from monai.losses import DiceLoss
from torch import Tensor, nn


class RegionLoss(nn.Module):
    """Soft Dice over the batch, plus binary cross-entropy, on the logits of WT, TC and ET.

    L = mean_c (1 - (2 sum p t + e) / (sum p + sum t + e)) + mean BCE(p, t), with sums over
    batch and space (Milletari et al. 2016, arXiv:1606.04797, with plain denominators).
    """

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss(sigmoid=True, batch=True)
        self.cross_entropy = nn.BCEWithLogitsLoss()

    def forward(self, logits: Tensor, regions: Tensor) -> Tensor:
        """Logits and regions (N, 3, X, Y, Z) -> scalar."""
        logits = logits.float()
        loss: Tensor = self.dice(logits, regions) + self.cross_entropy(logits, regions)
        return loss


@torch.no_grad()
def hard_dice(logits: Tensor, regions: Tensor) -> list[float]:
    """Dice of thresholded regions, both (N, 3, X, Y, Z); 1 where both are empty."""
    predicted = logits > 0
    truth = regions > 0.5
    dims = (0, *range(2, logits.ndim))
    both = (predicted & truth).sum(dims)
    total = predicted.sum(dims) + truth.sum(dims)
    return [1.0 if t == 0 else 2 * float(b) / float(t) for b, t in zip(both, total, strict=True)]
