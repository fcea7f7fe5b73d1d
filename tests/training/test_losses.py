import math

import numpy as np
import pytest
import torch

from napari_brats.errors import TrainingError
from napari_brats.networks.card import OUTPUTS
from napari_brats.networks.isensee2017 import Isensee2017
from napari_brats.training.losses import LOSSES, RegionLoss, make_loss
from napari_brats.training.targets import targets_for

E = 1e-5


def nested_regions(shape, seed=0):
    """Random WT, TC, ET (N, 3, ...), 0 or 1, each inside the one before."""
    rng = np.random.default_rng(seed)
    depth = rng.integers(0, 4, shape)
    return torch.from_numpy(np.stack([depth > n for n in range(3)], axis=1).astype(np.float32))


def logits_for(outputs, shape, seed=1):
    channels = len(OUTPUTS[outputs].channels)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape[0], channels, *shape[1:], generator=generator)


@pytest.fixture(params=[(2, 4, 3), (2, 2, 3, 2)], ids=["2D", "3D"])
def softmax_case(request):
    """Logits, channel numbers, and the same as probabilities p and one-hot t in (N, 4, V)."""
    shape = request.param
    logits = logits_for("tissues", shape)
    tissues = targets_for(nested_regions(shape), "tissues")
    z = logits.double().numpy().reshape(shape[0], 4, -1)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    t = np.stack([tissues.numpy().reshape(shape[0], -1) == c for c in range(4)], axis=1)
    assert t.any(axis=(0, 2)).all()
    return logits, tissues, p, t.astype(float)


def test_undecided_logits_cost_log_two_plus_the_dice_of_one_half():
    """Hand-computed: p = 1/2 everywhere, truth everywhere: Dice term 1 - 2 * .5 / 1.5 = 1/3."""
    logits = torch.zeros(1, 3, 4, 4, 4)
    loss = RegionLoss()(logits, torch.ones_like(logits))
    assert float(loss) == pytest.approx(math.log(2) + 1 / 3, abs=1e-5)


def test_our_loss_is_soft_dice_where_voxels_are_in_or_out():
    """For masks: 1 - 2 sum p t / (sum p + sum t), each region over the whole batch."""
    regions = nested_regions((2, 4, 3, 2))
    logits = logits_for("regions", (2, 4, 3, 2))
    p = 1 / (1 + np.exp(-logits.double().numpy()))
    t = regions.double().numpy()
    axes = (0, 2, 3, 4)
    dice = 2 * (p * t).sum(axes) / (p.sum(axes) + t.sum(axes))
    entropy = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert float(RegionLoss()(logits, regions)) == pytest.approx(
        1 - dice.mean() + entropy, abs=1e-5
    )


def test_our_loss_is_least_at_the_share():
    """Where 3/10 of a voxel lies in a region, a probability of 0.3 is better than any other."""
    shares = torch.full((1, 3, 4, 4, 4), 0.3)
    losses = {
        p: float(RegionLoss()(torch.full_like(shares, math.log(p / (1 - p))), shares))
        for p in (0.05, 0.2, 0.28, 0.3, 0.32, 0.5, 0.9)
    }
    assert min(losses, key=lambda p: losses[p]) == 0.3


def test_squared_dice_is_its_formula(softmax_case):
    """Each sample and class has its own Dice, with the squares of p and t below the line."""
    logits, tissues, p, t = softmax_case
    dice = (2 * (p * t).sum(2) + E) / ((p**2).sum(2) + (t**2).sum(2) + E)
    loss = make_loss("squared-dice")(logits, tissues)
    assert float(loss) == pytest.approx(1 - dice.mean(), abs=1e-6)


def test_squared_dice_of_undecided_logits():
    """Hand-computed: p = 1/4 in 8 voxels of background: Dice 4 / 8.5 there, 0 in three classes."""
    loss = make_loss("squared-dice")(torch.zeros(1, 4, 2, 2, 2), torch.zeros(1, 2, 2, 2, dtype=int))
    assert float(loss) == pytest.approx(1 - 4 / 8.5 / 4, abs=1e-4)


def test_cross_entropy_is_its_formula(softmax_case):
    """No class weighs more than another."""
    logits, tissues, p, t = softmax_case
    loss = make_loss("cross-entropy")(logits, tissues)
    assert float(loss) == pytest.approx(-np.log((p * t).sum(1)).mean(), abs=1e-6)


def test_generalized_dice_with_weighted_cross_entropy_is_its_formula(softmax_case):
    """Classes weigh by their squared size over the batch; voxels 1, 5, 2, 4, not normalized."""
    logits, tissues, p, t = softmax_case
    w = 1 / (t.sum((0, 2)) ** 2 + 1e-7)
    dice = 2 * (w * (p * t).sum((0, 2))).sum() / (w * (p.sum((0, 2)) + t.sum((0, 2)))).sum()
    k = np.array([1, 5, 2, 4])
    entropy = -(k[:, None] * t * np.log(p)).sum(1).mean()
    loss = make_loss("generalized-dice-ce")(logits, tissues)
    assert float(loss) == pytest.approx(1 - dice + entropy, abs=1e-5)


def test_a_class_that_is_absent_weighs_no_more_than_the_smallest_that_is_there():
    """Hand-computed: p = 1/4, 4 voxels of background: all w = 1/16, Dice 2 * 1 / (4 + 4)."""
    loss = make_loss("generalized-dice-ce")(
        torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2, dtype=int)
    )
    assert float(loss) == pytest.approx(1 - 1 / 4 + math.log(4), abs=1e-5)


def test_generalized_dice_keeps_its_value_at_the_size_of_real_slices():
    """No smoothing hides the classes: undecided logits, a quarter of the slices each class."""
    tissues = torch.arange(4)[:, None, None].expand(4, 128, 128)
    loss = make_loss("generalized-dice-ce")(torch.zeros(4, 4, 128, 128), tissues)
    assert float(loss) == pytest.approx(1 - 1 / 4 + 3 * math.log(4), abs=1e-4)


def test_dice_with_focal_loss_is_its_formula(softmax_case):
    """The Dice of a class is pooled over the batch and counts a quarter, twice."""
    logits, tissues, p, t = softmax_case
    true, missed, wrong = (x.sum((0, 2)) for x in (p * t, (1 - p) * t, p * (1 - t)))
    dice = (2 * true + E) / (2 * true + missed + wrong + E)
    focal = (-t * 0.25 * (1 - p) ** 2 * np.log(p)).mean()
    loss = make_loss("dice-focal")(logits, tissues)
    assert float(loss) == pytest.approx(1 - (0.25 * dice).mean() + focal, abs=1e-6)


def test_mean_dice_is_its_formula():
    """Each sample and label has its own Dice, negative: better is lower."""
    shape = (2, 2, 3, 2)
    logits, labels = logits_for("labels", shape), targets_for(nested_regions(shape), "labels")
    p = 1 / (1 + np.exp(-logits.double().numpy().reshape(2, 3, -1)))
    t = labels.numpy().reshape(2, 3, -1)
    dice = 2 * ((p * t).sum(2) + E / 2) / (t.sum(2) + p.sum(2) + E)
    assert float(make_loss("mean-dice")(logits, labels)) == pytest.approx(-dice.mean(), abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_costs_least(name):
    """The loss falls to its lowest value as the logits grow in the right direction."""
    outputs = LOSSES[name].outputs
    regions = nested_regions((2, 4, 4, 4))
    target = targets_for(regions, outputs)
    hot = torch.nn.functional.one_hot(target, 4).movedim(-1, 1) if outputs == "tissues" else target
    lowest = {"dice-focal": 0.75, "mean-dice": -1.0}.get(name, 0.0)
    assert float(make_loss(name)(40 * (hot - 0.5), target)) == pytest.approx(lowest, abs=1e-4)


@pytest.mark.parametrize("scale", [0, 1, 100])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_where_there_is_no_tumor(name, scale):
    """Empty case: an empty target, undecided or certain logits: nothing is divided by zero."""
    outputs = LOSSES[name].outputs
    logits = (scale * logits_for(outputs, (2, 4, 4))).requires_grad_()
    loss = make_loss(name)(logits, targets_for(torch.zeros(2, 3, 4, 4), outputs))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert scale == 100 or logits.grad.abs().max() > 0


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_logits_are_compared_in_single(name):
    """Sums over many voxels would be wrong in bfloat16."""
    outputs = LOSSES[name].outputs
    logits = logits_for(outputs, (1, 8, 8)).bfloat16()
    target = targets_for(nested_regions((1, 8, 8)), outputs)
    loss = make_loss(name)(logits, target)
    assert loss.dtype == torch.float32
    assert loss == make_loss(name)(logits.float(), target)


def test_one_loss_reaches_all_summed_predictions():
    """Deep supervision in Isensee's U-Net: all three prediction maps learn from the one loss."""
    network = Isensee2017(in_channels=1, width=2)
    labels = targets_for(nested_regions((1, 16, 16, 16)), "labels")
    make_loss("mean-dice")(network(torch.randn(1, 1, 16, 16, 16)), labels).backward()
    assert [bool(head.weight.grad.abs().max() > 0) for head in network.heads] == [True] * 3


def test_an_unknown_loss():
    """The losses that there are are named."""
    with pytest.raises(TrainingError, match="dice-bce"):
        make_loss("hinge")
