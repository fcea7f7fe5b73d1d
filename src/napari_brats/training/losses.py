"""LOSSES: one row a loss, ours and those of the five networks' authors.

Every loss takes logits (N, K, ...), in two or three dimensions and of any floating dtype, and
the targets that `targets_for` makes of region masks; it computes in float32.

The prediction maps of Isensee's U-Net are summed inside the network, as in its authors' code:
its loss reaches all of them and has no term of its own for any.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from monai.losses import DiceLoss, FocalLoss, GeneralizedDiceLoss
from torch import Tensor, nn

from napari_brats.errors import TrainingError


class RegionLoss(nn.Module):
    """Soft Dice over the batch, plus binary cross-entropy, on the logits of WT, TC and ET.

    L = mean_c (sum |p - t| / (sum p + sum t + e)) + mean BCE(p, t), e = 1e-5, with sums over
    batch and space. For voxels that are in or out it is the usual soft Dice; unlike that, it
    is least at p = t where a voxel lies in a region in part (Dice semimetric loss, Wang et al.
    2023, arXiv:2303.16296).
    """

    def __init__(self) -> None:
        super().__init__()
        self.cross_entropy = nn.BCEWithLogitsLoss()

    def forward(self, logits: Tensor, regions: Tensor) -> Tensor:
        """Logits and regions (N, 3, ...) -> scalar."""
        logits = logits.float()
        found, truth = (part.transpose(0, 1).flatten(1) for part in (logits.sigmoid(), regions))
        apart = (found - truth).abs().sum(1)
        dice = (apart / (found.sum(1) + truth.sum(1) + 1e-5)).mean()
        loss: Tensor = dice + self.cross_entropy(logits, regions)
        return loss


class SquaredDice(nn.Module):
    """Soft Dice with squared denominators, background included, of each sample apart.

    L = 1 - mean_nc ((2 sum p t + e) / (sum p^2 + sum t^2 + e)), e = 1e-5, with sums over space
    (Milletari et al. 2016, arXiv:1606.04797; as in the code of Raza et al. 2023).
    """

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss(softmax=True, to_onehot_y=True, squared_pred=True)

    def forward(self, logits: Tensor, tissues: Tensor) -> Tensor:
        """Logits (N, 4, ...) and channel numbers (N, ...) -> scalar."""
        loss: Tensor = self.dice(logits.float(), tissues[:, None])
        return loss


class CrossEntropy(nn.Module):
    """Categorical cross-entropy, every voxel alike: L = -mean log p_t (Colman et al. 2020)."""

    def forward(self, logits: Tensor, tissues: Tensor) -> Tensor:
        """Logits (N, 4, ...) and channel numbers (N, ...) -> scalar."""
        return nn.functional.cross_entropy(logits.float(), tissues)


class GeneralizedDiceCrossEntropy(nn.Module):
    """Generalized Dice over the batch, plus cross-entropy weighted by class.

    L = 1 - 2 sum_c w_c sum p t / sum_c w_c (sum p + sum t) - mean k_t log p_t, with
    w_c = 1 / (sum t)^2, sums over batch and space, and k = 1, 5, 2, 4 for background, NCR, ED,
    ET. The mean is over voxels, not over their weights. A class that is absent from the batch
    gets the largest of the others' w (Sudre et al. 2017, arXiv:1707.03237; Kermi et al. 2018).
    """

    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        # With weights of 1 / voxels^2, MONAI's usual smoothing would outweigh large classes.
        self.dice = GeneralizedDiceLoss(
            softmax=True, to_onehot_y=True, batch=True, smooth_nr=0, smooth_dr=0
        )
        self.register_buffer("weights", torch.tensor([1.0, 5.0, 2.0, 4.0]))

    def forward(self, logits: Tensor, tissues: Tensor) -> Tensor:
        """Logits (N, 4, ...) and channel numbers (N, ...) -> scalar."""
        logits = logits.float()
        entropy = nn.functional.cross_entropy(logits, tissues, self.weights, reduction="none")
        loss: Tensor = self.dice(logits, tissues[:, None]) + entropy.mean()
        return loss


class DiceFocal(nn.Module):
    """Soft Dice over the batch, a quarter of it, plus categorical focal loss.

    L = 1 - mean_c (w_c (2 sum p t + e) / (sum p + sum t + e)) - mean a t (1 - p)^2 log p, with
    w_c = a = 1/4, e = 1e-5, sums over batch and space, and the last mean over voxels and
    classes. The weights and the mean both divide by four, so that the Dice term lies between
    3/4 and 1 (Lin et al. 2017, arXiv:1708.02002; as in segmentation_models_3D).
    """

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss(softmax=True, to_onehot_y=True, batch=True)
        self.focal = FocalLoss(use_softmax=True, to_onehot_y=True, gamma=2.0)

    def forward(self, logits: Tensor, tissues: Tensor) -> Tensor:
        """Logits (N, 4, ...) and channel numbers (N, ...) -> scalar."""
        logits, tissues = logits.float(), tissues[:, None]
        loss: Tensor = 0.75 + 0.25 * (self.dice(logits, tissues) + self.focal(logits, tissues))
        return loss


class MeanDice(nn.Module):
    """Minus the mean soft Dice of three independent labels, of each sample apart.

    L = -mean_nc ((2 sum p t + e) / (sum p + sum t + e)), e = 1e-5, with sums over space: from
    -1 to 0 (Isensee et al. 2017, arXiv:1802.10508; as in the code of Etheredge 2019).
    """

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss(sigmoid=True)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits and labels (N, 3, ...) -> scalar."""
        loss: Tensor = self.dice(logits.float(), labels) - 1
        return loss


@dataclass(frozen=True)
class Loss:
    """One loss.

    Parameters
    ----------
    name, title : str
        Key in `LOSSES`, and what it is in one line.
    outputs : str
        Row of `OUTPUTS` whose logits it takes; with it go the network's output channels.
    source : str
        Paper, and whose training uses it.
    factory : type of nn.Module
        Made without arguments; called with logits and targets.
    """

    name: str
    title: str
    outputs: str
    source: str
    factory: type[nn.Module]


LOSSES: Mapping[str, Loss] = {
    row.name: row
    for row in (
        Loss(
            "dice-bce",
            "soft Dice + binary cross-entropy on WT, TC, ET",
            "regions",
            "Wang et al. 2023, arXiv:2303.16296; ours",
            RegionLoss,
        ),
        Loss(
            "squared-dice",
            "soft Dice with squared denominators, background included",
            "tissues",
            "Milletari et al. 2016, arXiv:1606.04797; dResU-Net's code",
            SquaredDice,
        ),
        Loss(
            "cross-entropy",
            "categorical cross-entropy",
            "tissues",
            "DR-Unet104's code",
            CrossEntropy,
        ),
        Loss(
            "generalized-dice-ce",
            "generalized Dice + cross-entropy weighted 1, 5, 2, 4",
            "tissues",
            "Sudre et al. 2017, arXiv:1707.03237; Kermi et al. 2018",
            GeneralizedDiceCrossEntropy,
        ),
        Loss(
            "dice-focal",
            "a quarter of soft Dice + categorical focal loss",
            "tissues",
            "Lin et al. 2017, arXiv:1708.02002; the plain 3D U-Net's code",
            DiceFocal,
        ),
        Loss(
            "mean-dice",
            "minus the mean soft Dice of NCR, ED, ET, independent",
            "labels",
            "Isensee et al. 2017, arXiv:1802.10508; Etheredge's code",
            MeanDice,
        ),
    )
}


def make_loss(name: str) -> nn.Module:
    """Return a loss, called as ``loss(logits, targets_for(regions, LOSSES[name].outputs))``.

    Raises
    ------
    TrainingError
        If there is no such loss; the message lists all.
    """
    if name not in LOSSES:
        raise TrainingError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}")
    return LOSSES[name].factory()
