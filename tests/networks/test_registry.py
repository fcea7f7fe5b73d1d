"""One test for every network: a sixth row of MODELS is checked by adding it to the tables here."""

import pytest
import torch
from narrow import narrow_options
from torch import nn

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import OUTPUTS
from napari_brats.networks.registry import MODELS, create_model, model_spec
from napari_brats.preprocessing.recipes import RECIPES

EVERY = pytest.mark.parametrize("name", MODELS)
LARGE = ("dr_unet104", "isensee2017")
EVERY_QUICK = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in MODELS]
)
SIZES = pytest.mark.parametrize("size", ["paper", "lite"])
RESIDUAL_BLOCKS = {
    "dresunet3d": 4,
    "dr_unet104": 31 + 5,
    "kermi2018": 4 + 3,
    "unet3d": 0,
    "isensee2017": 5,
}
# Whether decoders see the enlarged map before the skip, as the published weights need.
UP_FIRST = {
    "dresunet3d": True,
    "dr_unet104": True,
    "kermi2018": False,
    "unet3d": True,
    "isensee2017": False,
}


def on_meta(name, size="paper", **options):
    """Build a network that has shapes but no memory."""
    with torch.device("meta"):
        return create_model(name, size, **options).eval()


def narrow(name, seed=0, **options):
    """Build a small network of the published layout."""
    torch.manual_seed(seed)
    return create_model(name, **narrow_options(name, 4), **options).eval()


def image_for(network, name, batch=1):
    """Make a small random input of unequal sizes that the network takes."""
    shape = {2: (48, 80), 3: (32, 48, 32)}[MODELS[name].ndim]
    return torch.randn(
        (batch, network.in_channels, *shape), generator=torch.Generator().manual_seed(5)
    )


@EVERY
@SIZES
def test_output_shape_at_the_native_size(name, size):
    """Logits have the input's size, and as many channels as the row's outputs mean."""
    spec, network = MODELS[name], on_meta(name, size)
    with torch.no_grad():
        logits = network(torch.empty(2, network.in_channels, *spec.native, device="meta"))
    channels = len(OUTPUTS[spec.outputs[size]].channels)
    assert tuple(logits.shape) == (2, channels, *spec.native)
    assert network.out_channels == channels


@EVERY
def test_odd_sizes(name):
    """Sizes off the row's multiple are refused with the cure; padded to it they work."""
    spec, network = MODELS[name], narrow(name)
    odd = (37, 51, 19)[: spec.ndim]
    image = torch.randn(1, network.in_channels, *odd)
    if spec.multiple > 1:
        with pytest.raises(ValueError, match=r"multiples of .* pad to"):
            network(image)
        odd = tuple(-(-size // spec.multiple) * spec.multiple for size in odd)
    with torch.no_grad():
        logits = network(torch.randn(1, network.in_channels, *odd))
    assert tuple(logits.shape[2:]) == odd
    assert logits.isfinite().all()
    assert network.multiple == spec.multiple


@EVERY
def test_gradient_reaches_every_parameter(name):
    """No parameter is unused, and every kernel learns."""
    network = narrow(name)
    logits = network(image_for(network, name))
    (logits * torch.randn_like(logits)).sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.ndim == 1 or parameter.grad.any(), key


@EVERY
def test_training_mode_is_finite_and_noisy(name):
    """In training a batch has finite logits, and dropout or noise makes two passes differ."""
    network = narrow(name).train()
    image = image_for(network, name, batch=2)
    with torch.no_grad():
        first, second = network(image), network(image)
    assert first.isfinite().all()
    assert not torch.equal(first, second)


@EVERY
def test_dropout_belongs_to_the_paper_sizes(name):
    """Narrow networks learn too little rather than too much: their size has no dropout."""
    rates = {
        size: {
            part.p
            for part in on_meta(name, size).modules()
            if isinstance(part, nn.modules.dropout._DropoutNd)
        }
        for size in ("paper", "lite")
    }
    assert rates["lite"] <= {0}
    assert bool(rates["paper"] - {0}) == (name != "kermi2018")


@EVERY
def test_residual_identity(name):
    """With its main branch zeroed, a residual block is its shortcut."""
    network = narrow(name)
    blocks = [m for m in network.modules() if hasattr(m, "main") and hasattr(m, "shortcut")]
    assert len(blocks) == RESIDUAL_BLOCKS[name]
    for block in blocks:
        first = next(m for m in block.modules() if isinstance(m, nn.Conv2d | nn.Conv3d))
        x = torch.randn(1, first.in_channels, *(8,) * MODELS[name].ndim)
        with torch.no_grad():
            for parameter in block.main.parameters():
                parameter.zero_()
            shortcut = block.shortcut(x)
            expected = shortcut.relu() if name == "dresunet3d" else shortcut
            torch.testing.assert_close(block(x), expected)


@EVERY_QUICK
def test_order_of_concatenation(name):
    """The enlarged map and the skip are joined in the published order."""
    network, seen = narrow(name), {}
    block = (network.localization if name == "isensee2017" else network.decoder)[0]
    network.up[0].register_forward_hook(lambda _m, _i, out: seen.update(up=out))
    block.register_forward_pre_hook(lambda _m, given: seen.update(joined=given[0]))
    with torch.no_grad():
        network(image_for(network, name))
    first, second = seen["joined"].chunk(2, dim=1)
    assert torch.equal(seen["up"], first if UP_FIRST[name] else second)


@EVERY_QUICK
def test_determinism_under_a_seed(name):
    """One seed gives one network and one output; another seed another network."""
    first, same, other = narrow(name, 3), narrow(name, 3), narrow(name, 4)
    image = image_for(first, name)
    with torch.no_grad():
        assert torch.equal(first(image), same(image))
        assert not torch.equal(first(image), other(image))


@EVERY_QUICK
def test_batch_entries_are_independent(name):
    """In evaluation, a slice or cube scores alike alone and in a batch."""
    network = narrow(name)
    image = image_for(network, name, batch=2)
    with torch.no_grad():
        together, alone = network(image)[1:], network(image[1:])
    # Batches are summed in another order; a hundred untrained layers enlarge the rounding.
    assert (together - alone).abs().max() < 1e-3 * alone.abs().max()


@EVERY
def test_row_agrees_with_the_other_tables(name):
    """The published recipe exists and gives the published channels in their order."""
    spec = MODELS[name]
    assert RECIPES[spec.recipe].modalities == spec.modalities
    assert on_meta(name).in_channels == len(spec.modalities)
    assert len(spec.native) == spec.ndim
    assert spec.parameters["lite"] * 2 <= 7e6
    assert all(set(row.scores) == {"WT", "TC", "ET"} for row in spec.published)


def test_unknown_names_list_the_choices():
    """An unknown model or size names what there is."""
    with pytest.raises(CheckpointError, match=r"'unet4d'; choose one of dresunet3d, "):
        model_spec("unet4d")
    with pytest.raises(CheckpointError, match=r"no size 'huge'; choose one of paper, lite"):
        create_model("unet3d", "huge")
