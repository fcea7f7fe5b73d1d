"""Narrow networks with weights, saved and not."""

import pytest
import torch
from narrow import narrow_options

from napari_brats.networks.checkpoint import Card, save_checkpoint
from napari_brats.networks.registry import MODELS, create_model


@pytest.fixture
def trained():
    """Make a narrow network whose running statistics differ from their start, and its card."""
    return _trained


def _trained(name, seed=0):
    torch.manual_seed(seed)
    network = create_model(name, **narrow_options(name)).train()
    spec = MODELS[name]
    shape = {2: (32, 48), 3: (32, 32, 32)}[spec.ndim]
    with torch.no_grad():
        network(torch.randn(2, network.in_channels, *shape))
    card = Card(
        name=f"{name}-test",
        architecture=name,
        size="paper",
        recipe=spec.recipe,
        modalities=spec.modalities,
        outputs=spec.outputs["paper"],
        options=narrow_options(name),
    )
    return network.eval(), card


@pytest.fixture
def saved(tmp_path):
    """A good checkpoint: the path of its weights."""
    network, card = _trained("unet3d")
    save_checkpoint(network, card, tmp_path / "net")
    return tmp_path / "net.safetensors"
