"""What is particular to Kermi's network: noise in training, PReLU from zero, 2^2 kernels."""

import torch
from torch import nn

from napari_brats.networks.kermi2018 import GaussianNoise, Kermi2018


def test_noise_only_in_training():
    """Noise has the given spread in training, and none otherwise."""
    noise, x = GaussianNoise(0.5), torch.zeros(10_000)
    torch.manual_seed(0)
    assert abs(noise.train()(x).std().item() - 0.5) < 0.02
    assert noise.eval()(x) is x


def test_one_slope_a_channel_from_zero():
    """Keras' PReLU with shared axes starts as ReLU, with one slope for each channel."""
    network = Kermi2018(width=4)
    slopes = [module for module in network.modules() if isinstance(module, nn.PReLU)]
    assert len(slopes) == 2 * 7 + 1
    assert all(not slope.weight.any() for slope in slopes)
    assert slopes[0].num_parameters == 4
    assert {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}


def test_projected_shortcuts_have_no_bias():
    """Encoder shortcuts are the identity, decoder shortcuts a 1x1 convolution without bias."""
    network = Kermi2018(width=4)
    assert all(isinstance(block.shortcut, nn.Identity) for block in network.encoder)
    assert all(block.shortcut.bias is None for block in network.decoder)
