"""Checkpoints come back as they were saved; without weights there is none."""

import os
from dataclasses import replace

import pytest
import torch

from napari_brats.errors import CheckpointError, OutputError
from napari_brats.networks import card as card_module
from napari_brats.networks.blocks import parameter_count
from napari_brats.networks.checkpoint import (
    bundled_card,
    load_checkpoint,
    read_card,
    save_checkpoint,
)
from napari_brats.networks.registry import MODELS


def refused(source, match):
    """Check that a checkpoint is refused in one line."""
    with pytest.raises(CheckpointError, match=match) as caught:
        load_checkpoint(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name == "dr_unet104")) for name in MODELS],
)
def test_save_and_load_equality(tmp_path, name, half, trained):
    """Weights, running statistics and outputs come back: exactly, or as float16 holds them."""
    network, card = trained(name)
    filled = save_checkpoint(network, card, tmp_path / "net", half=half)
    loaded, read = load_checkpoint(tmp_path / "net.safetensors")
    assert read == filled == read_card(tmp_path / "net.json")
    assert filled.parameters == parameter_count(network)
    assert not loaded.training
    parameters = dict(loaded.named_parameters())
    assert all(parameter.requires_grad for parameter in parameters.values())
    for key, tensor in network.state_dict().items():
        expected = tensor.half().float() if half and key in parameters else tensor
        assert loaded.state_dict()[key].dtype == tensor.dtype
        assert torch.equal(loaded.state_dict()[key], expected), key
    if not half:
        image = torch.randn(1, network.in_channels, *(32,) * MODELS[name].ndim)
        with torch.no_grad():
            assert torch.equal(loaded(image), network(image))


def test_half_precision_halves_the_file(tmp_path, trained):
    """Parameters take two bytes each, and saving twice gives the same bytes."""
    network, card = trained("kermi2018")
    sizes = []
    for half in (False, True, True):
        save_checkpoint(network, card, tmp_path / f"net{len(sizes)}", half=half)
        sizes.append((tmp_path / f"net{len(sizes)}.safetensors").stat().st_size)
    assert sizes[0] - sizes[1] == pytest.approx(2 * parameter_count(network), rel=0.01)
    again = [(tmp_path / f"net{n}.safetensors").read_bytes() for n in (1, 2)]
    assert again[0] == again[1]


def test_names_of_the_two_files(tmp_path, trained):
    """With or without suffix, and with dots in the name, both files share one stem."""
    network, card = trained("unet3d")
    for name in ("run.1", "run.2.safetensors", "run.3.json"):
        save_checkpoint(network, card, tmp_path / name)
        assert read_card(tmp_path / name).name == "unet3d-test"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"run.{n}.{suffix}" for n in (1, 2, 3) for suffix in ("json", "safetensors")
    ]


def test_card_is_filled_in(saved):
    """The card says when, with what and how large."""
    card = read_card(saved)
    assert card.created.endswith("+00:00")
    assert card.software.startswith("napari-brats ")
    assert len(card.sha256) == 64


def test_a_network_that_is_not_the_cards_is_not_saved(tmp_path, trained):
    """Options that the card does not mention would make it unreadable."""
    network, card = trained("unet3d")
    with pytest.raises(CheckpointError, match=r"not the plain 3D U-Net .* of its card"):
        save_checkpoint(network, replace(card, options={}), tmp_path / "net")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("value", "half"), [(float("nan"), False), (1e6, True)])
def test_weights_that_are_not_finite_are_not_saved(tmp_path, value, half, trained):
    """NaN, or a number too large for half precision."""
    network, card = trained("unet3d")
    with torch.no_grad():
        network.head.bias[0] = value
    with pytest.raises(CheckpointError, match=r"'head.bias' has weights that are not finite"):
        save_checkpoint(network, card, tmp_path / "net", half=half)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_checkpoint(saved, monkeypatch, trained):
    """A write that fails half-way costs nothing."""
    before = saved.read_bytes()
    network, card = trained("unet3d", seed=1)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        save_checkpoint(network, card, saved)
    monkeypatch.undo()
    assert saved.read_bytes() == before
    load_checkpoint(saved)
    assert len(list(saved.parent.iterdir())) == 2


def test_random_weights_are_never_offered(tmp_path, monkeypatch):
    """A model without weights is refused with the way to get some."""
    monkeypatch.setattr(card_module, "WEIGHTS_FOLDER", tmp_path)
    for name in MODELS:
        assert bundled_card(name) is None
        refused(name, f"`napari-brats train --model {name} --data PATIENTS`")
    with pytest.raises(CheckpointError, match="random ones are never used"):
        read_card("kermi2018")


def test_bundled_weights_are_found_by_name(tmp_path, monkeypatch, trained):
    """The model's name, or the card's, finds weights in the package's folder."""
    monkeypatch.setattr(card_module, "WEIGHTS_FOLDER", tmp_path)
    network, card = trained("unet3d")
    filled = save_checkpoint(network, card, tmp_path / "unet3d-lite")
    assert bundled_card("unet3d") == filled
    for name in ("unet3d", "unet3d-lite"):
        assert load_checkpoint(name)[1] == filled


@pytest.mark.parametrize("name", MODELS)
def test_what_is_bundled_loads(name):
    """Bundled weights are whole, fit their card and are at most 12 MB."""
    card = bundled_card(name)
    if card is None:
        refused(name, "no trained weights come with")
        return
    _, read = load_checkpoint(name)
    assert read == card
    assert (read.architecture, read.size) == (name, "lite")
    assert read.use == "research use only"
    assert set(read.scores["mean"]) == {"WT", "TC", "ET"}
    assert (card_module.bundled_stem(name).with_suffix(".safetensors")).stat().st_size <= 12e6
