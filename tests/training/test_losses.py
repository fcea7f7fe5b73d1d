import math

import pytest
import torch

from napari_brats.training.losses import RegionLoss, hard_dice


def test_undecided_logits_cost_log_two_plus_the_dice_of_one_half():
    """Hand-computed: p = 1/2 everywhere, truth everywhere: Dice term 1 - 2 * .5 / 1.5 = 1/3."""
    logits = torch.zeros(1, 3, 4, 4, 4)
    loss = RegionLoss()(logits, torch.ones_like(logits))
    assert float(loss) == pytest.approx(math.log(2) + 1 / 3, abs=1e-5)


def test_a_perfect_prediction_costs_nothing():
    """The loss falls to 0 as the logits grow in the right direction."""
    truth = (torch.rand(2, 3, 4, 4, 4) > 0.5).float()
    loss = RegionLoss()(40 * (truth - 0.5), truth)
    assert float(loss) == pytest.approx(0, abs=1e-4)


def test_dice_of_two_empty_regions_is_one_and_of_one_empty_region_zero():
    """The rule for empty regions is the project's: both empty 1, one empty 0."""
    truth = torch.zeros(1, 3, 2, 2, 2)
    truth[:, 1] = 1
    logits = -torch.ones_like(truth)
    logits[:, 2] = 1
    assert hard_dice(logits, truth) == [1.0, 0.0, 0.0]


def test_hard_dice_by_hand():
    """Two voxels predicted, two true, one shared: 2 * 1 / 4."""
    truth = torch.zeros(1, 3, 1, 1, 4)
    truth[..., :2] = 1
    logits = -torch.ones_like(truth)
    logits[..., 1:3] = 1
    assert hard_dice(logits, truth) == [0.5, 0.5, 0.5]
