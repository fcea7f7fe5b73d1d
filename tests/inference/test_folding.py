"""Folding batch norm changes no logit."""

import copy

import numpy as np
import pytest
import torch
from narrow import narrow_options

from napari_brats.inference.folding import fold_batch_norm
from napari_brats.networks.registry import create_model, model_spec

WITH_BATCH_NORM = ("dresunet3d", "kermi2018", "dr_unet104")


def seen(name: str) -> torch.nn.Module:
    """Return a network whose batch norms have statistics and weights of their own."""
    torch.manual_seed(0)
    network = create_model(name, "lite", **narrow_options(name))
    for part in network.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(part.weight, 1, 0.3)
            torch.nn.init.normal_(part.bias)
    return network.eval()


@pytest.mark.parametrize("name", WITH_BATCH_NORM)
def test_the_logits_stay(name: str) -> None:
    """In float64 to nine digits of the largest."""
    network = seen(name).double()
    folded = copy.deepcopy(network)
    assert fold_batch_norm(folded) > 0
    batch = torch.randn(2, 4, *(32,) * model_spec(name).ndim, dtype=torch.float64)
    with torch.inference_mode():
        expected, found = network(batch), folded(batch)
    np.testing.assert_allclose(found, expected, atol=1e-9 * float(expected.abs().max()))


def test_all_of_dresunets_go() -> None:
    """Each of its batch norms follows a convolution; of Kermi's only those inside a block do."""
    for name, rest in (("dresunet3d", 0), ("kermi2018", 8)):
        network = seen(name)
        fold_batch_norm(network)
        norms = [
            part
            for part in network.modules()
            if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)
        ]
        assert len(norms) == rest


def test_training_networks_are_refused() -> None:
    """Batch norm of a batch is no constant."""
    with pytest.raises(ValueError, match="evaluation mode"):
        fold_batch_norm(seen("dresunet3d").train())
