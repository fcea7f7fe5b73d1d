"""What is particular to DR-Unet104: its padded level and its rule for sizes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_brats.networks.dr_unet104 import DRUNet104


def tiny(**options):
    torch.manual_seed(0)
    return DRUNet104(widths=(2,) * 6, **options).eval()


@pytest.mark.parametrize("shape", [(16, 16), (48, 80), (240, 240)])
def test_published_sizes_are_not_padded(shape):
    """Sizes that are 16 more than a multiple of 32 are taken as they are."""
    with torch.no_grad():
        logits = tiny(pad_to_valid=False)(torch.zeros(1, 4, *shape))
    assert tuple(logits.shape) == (1, 4, *shape)


@pytest.mark.parametrize("shape", [(33, 48), (64, 17), (1, 1)])
def test_other_sizes_are_padded_at_the_end_and_cropped_back(shape):
    """The logits are those of the zero-padded slice, cropped."""
    network, image = tiny(), torch.randn(1, 4, *shape)
    wanted = [16 + 32 * max(0, -(-(size - 16) // 32)) for size in shape]
    padded = F.pad(image, (0, wanted[1] - shape[1], 0, wanted[0] - shape[0]))
    with torch.no_grad():
        expected = network(padded)[:, :, : shape[0], : shape[1]]
        assert torch.equal(network(image), expected)


def test_other_sizes_are_refused_where_asked():
    """Without padding, the message says what size works."""
    with pytest.raises(ValueError, match=r"got \(64, 48\); pad to \(80, 48\)"):
        tiny(pad_to_valid=False)(torch.empty(1, 4, 64, 48))


def test_fourth_level_is_padded_by_one_pixel():
    """240 reaches the fourth level as 30 and the fifth as 16, not 15."""
    sizes = []
    with torch.device("meta"):
        network = tiny()
        for stage in network.encoder:
            stage.register_forward_hook(lambda _m, _i, out: sizes.append(out.shape[-1]))
        network(torch.empty(1, 4, 240, 240))
    assert sizes == [240, 120, 60, 30, 16, 8]


def test_widths_are_six():
    """A wrong number of levels is refused."""
    with pytest.raises(ValueError, match="6 widths, got 2"):
        DRUNet104(widths=(2, 4))


def test_batch_norm_and_dropout_are_the_training_scripts():
    """Epsilon 1e-5, momentum 0.99 in Keras' terms, dropout 0.2; the first block has no norm."""
    network = tiny()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.01)}
    assert network.dropout.p == 0.2
    assert isinstance(network.encoder[0][0].main[0], nn.Conv2d)
