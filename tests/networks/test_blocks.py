"""TensorFlow's padding and Keras' initial weights, against their definitions."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from napari_brats.networks.blocks import (
    SameConv2d,
    SameConv3d,
    UpConv2d,
    UpConv3d,
    batch_norm,
    check_multiple,
    init_glorot,
    init_he_normal,
    init_he_uniform,
    parameter_count,
    same_padding,
)

SAME = {2: SameConv2d, 3: SameConv3d}
UP = {2: UpConv2d, 3: UpConv3d}


def tensorflow_same(image, kernel, stride):
    """Convolve one channel by TensorFlow's definition, voxel by voxel."""
    width = kernel.shape[0]
    outputs = [-(-size // stride) for size in image.shape]
    before = [
        max((out - 1) * stride + width - size, 0) // 2
        for size, out in zip(image.shape, outputs, strict=True)
    ]
    result = np.zeros(outputs)
    for target in np.ndindex(*outputs):
        for tap in np.ndindex(*kernel.shape):
            source = tuple(t * stride + k - b for t, k, b in zip(target, tap, before, strict=True))
            inside = all(0 <= i < size for i, size in zip(source, image.shape, strict=True))
            result[target] += kernel[tap] * image[source] if inside else 0.0
    return result


@pytest.mark.parametrize(("kernel", "stride"), [(2, 1), (2, 2), (3, 1), (3, 2), (1, 2)])
@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (4, 6, 5)])
def test_same_convolution_is_tensorflows(shape, kernel, stride):
    """A "same" convolution pads the odd voxel at the end, for even and odd sizes."""
    ndim = len(shape)
    conv = SAME[ndim](1, 1, kernel, stride).double()
    image = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        conv.bias.zero_()
        found = conv(image[None, None])[0, 0].numpy()
        expected = tensorflow_same(image.numpy(), conv.weight[0, 0].numpy(), stride)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
)
def test_same_padding_gives_the_rounded_up_size(sizes, kernel, stride):
    """After padding, a valid convolution has ceil(n / stride) outputs; the end gets more."""
    pads = same_padding(sizes, kernel, stride)
    for n, size in enumerate(reversed(sizes)):
        before, after = pads[2 * n : 2 * n + 2]
        assert 0 <= after - before <= 1
        assert (size + before + after - kernel) // stride + 1 == -(-size // stride)


@pytest.mark.parametrize("ndim", [2, 3])
def test_transposed_convolution_is_the_adjoint(ndim):
    """<conv(x), y> = <x, up(y)>: TensorFlow defines its transposed convolution so."""
    generator = torch.Generator().manual_seed(1)
    conv, up = SAME[ndim](2, 3, 3, 2).double(), UP[ndim](3, 2).double()
    x = torch.randn((1, 2) + (8,) * ndim, dtype=torch.float64, generator=generator)
    y = torch.randn((1, 3) + (4,) * ndim, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        conv.bias.zero_()
        up.conv.bias.zero_()
        up.conv.weight.copy_(conv.weight)
        assert up(y).shape == x.shape
        assert (conv(x) * y).sum().item() == pytest.approx((x * up(y)).sum().item(), rel=1e-12)


def test_pytorchs_own_padding_is_not_tensorflows():
    """The helpers are needed: padding=1 shifts a stride-2 convolution by one voxel."""
    conv, image = SameConv2d(1, 1, 3, 2), torch.arange(16.0).reshape(1, 1, 4, 4)
    with torch.no_grad():
        shifted = nn.functional.conv2d(image, conv.weight, conv.bias, stride=2, padding=1)
        assert not torch.allclose(conv(image), shifted)


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        (init_glorot, math.sqrt(6 / (8 * 9 + 32 * 9))),
        (init_he_uniform, math.sqrt(6 / (8 * 9))),
        (init_he_normal, 2 * math.sqrt(2 / (8 * 9)) / 0.8796),
    ],
)
def test_initial_weights_are_keras(init, bound):
    """Kernels keep within Keras' bounds with the variance of their law; biases are zero."""
    torch.manual_seed(0)
    conv = nn.Conv2d(8, 32, 3)
    init(conv)
    std = math.sqrt(2 / (8 * 9)) if init is init_he_normal else bound / math.sqrt(3)
    assert conv.weight.abs().max().item() <= bound * 1.0001
    assert conv.weight.std().item() == pytest.approx(std, rel=0.05)
    assert not conv.bias.any()


def test_initialization_leaves_other_layers_and_missing_biases_alone():
    """Batch norm keeps its ones; a convolution without bias is no error."""
    norm, conv = batch_norm(3, 4), nn.Conv3d(2, 2, 1, bias=False)
    for init, module in itertools.product((init_glorot, init_he_normal), (norm, conv)):
        init(module)
    assert (norm.weight == 1).all()
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)


def test_parameter_count_skips_frozen_and_running_values():
    """Only trainable parameters count, as in the papers' tables."""
    network = nn.Sequential(nn.Conv2d(1, 2, 1), batch_norm(2, 2))
    assert parameter_count(network) == 4 + 4
    network[0].requires_grad_(False)
    assert parameter_count(network) == 4


def test_wrong_size_says_what_to_pad_to():
    """The message holds the size found and the size that works."""
    check_multiple(torch.empty(1, 1, 16, 32), 16, "net")
    with pytest.raises(ValueError, match=r"multiples of 16, got \(17, 32\); pad to \(32, 32\)"):
        check_multiple(torch.empty(1, 1, 17, 32), 16, "net")
