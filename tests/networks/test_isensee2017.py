"""What is particular to Isensee's network: its norm, its slopes, its summed predictions."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_brats.networks.isensee2017 import InstanceNorm, Isensee2017


def test_instance_norm_divides_by_std_plus_epsilon():
    """gamma (x - mean) / (population std + 1e-3) + beta, per sample and channel."""
    norm = InstanceNorm(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2.0]))
        norm.bias.copy_(torch.tensor([0.0, 3.0]))
        x = torch.randn(2, 2, 3, 4, 5) * 0.01
        found = norm(x).numpy()
    flat = x.numpy().astype(np.float64)
    mean, std = flat.mean((2, 3, 4), keepdims=True), flat.std((2, 3, 4), keepdims=True)
    gamma, beta = np.array([1.0, 2.0]), np.array([0.0, 3.0])
    expected = (flat - mean) / (std + 1e-3) * gamma[:, None, None, None]
    np.testing.assert_allclose(found, expected + beta[:, None, None, None], atol=1e-5)


def test_instance_norm_of_a_constant_map():
    """A constant map (an empty crop) becomes beta, with a finite gradient."""
    norm, x = InstanceNorm(1), torch.full((1, 1, 2, 2, 2), 7.0, requires_grad=True)
    y = norm(x)
    y.square().sum().backward()
    assert not y.detach().any()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_instance_norm_keeps_the_dtype_and_its_precision(dtype):
    """In half precision the statistics are float32's: a large offset does not spoil them."""
    x = (torch.randn(1, 1, 16, 16, 16) * 4 + 100).to(dtype)
    y = InstanceNorm(1)(x).detach()
    assert y.dtype is dtype
    assert y.float().mean().abs().item() < 1e-2
    assert y.float().std().item() == pytest.approx(1.0, abs=0.02)


def test_slopes_and_channel_dropout():
    """LeakyReLU has Keras' slope 0.3; dropout drops whole channels, 0.3 of them."""
    modules = list(Isensee2017(width=2).modules())
    assert {m.negative_slope for m in modules if isinstance(m, nn.LeakyReLU)} == {0.3}
    assert [m.p for m in modules if isinstance(m, nn.Dropout3d)] == [0.3] * 5


def test_predictions_of_three_levels_are_summed():
    """With the finest head silent, the logits are constant in cubes of 2^3 voxels."""
    network = Isensee2017(width=2).eval()
    with torch.no_grad():
        for parameter in network.heads[2].parameters():
            parameter.zero_()
        logits = network(torch.randn(1, 4, 32, 32, 32))
    coarse = logits[:, :, ::2, ::2, ::2]
    enlarged = nn.functional.interpolate(coarse, scale_factor=2)
    assert torch.equal(logits, enlarged)
    assert coarse.std() > 0
