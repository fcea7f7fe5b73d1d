"""Weights of other programs become checkpoints on request; a pickle's objects are never made."""

import os
import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from napari_brats.errors import CheckpointError, TakenError
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.importing import LABEL_ORDERS, Source, import_weights

OPTIONS = {"width": 2}


@pytest.fixture
def network(trained):
    """A narrow plain U-Net."""
    return trained("unet3d")[0]


@pytest.fixture
def source(tmp_path, network):
    """Its state dict in a file, and what a person says about it."""
    torch.save(network.state_dict(), tmp_path / "net.pt")
    return Source(tmp_path / "net.pt", "unet3d", options=OPTIONS, recipe="unet3d")


def refused(source, match, kind=CheckpointError):
    """Check that nothing is imported and no file is written."""
    output = source.path.parent / "out.safetensors"
    with pytest.raises(kind, match=match) as caught:
        import_weights(source, output)
    assert "\n" not in str(caught.value)
    assert not output.exists()


def wrappings(state):
    """Return what trainers make of a state dict, by their names."""
    scalar = np.float64(0.5)
    under = {f"model.{name}": value for name, value in state.items()}
    return {
        "plain": state,
        "parallel": {f"module.{name}": value for name, value in state.items()},
        "lightning": {"epoch": 3, "state_dict": {**under, "loss.weight": torch.ones(4)}},
        "nnunet": {"network_weights": state, "optimizer_state": {"x": [1]}, "_best_ema": scalar},
        "half": {name: value.half() for name, value in state.items()},
    }


@pytest.mark.parametrize("how", ["plain", "parallel", "lightning", "nnunet", "half"])
def test_state_dicts_come_as_they_are(how, source, network):
    """Whichever trainer wrapped it, the weights are the network's; the card says where from."""
    state = network.state_dict()
    torch.save(wrappings(state)[how], source.path)
    path = import_weights(source, source.path.parent / "mine.safetensors")
    loaded, card = load_checkpoint(path)
    for name, value in loaded.state_dict().items():
        expected = state[name].half().float() if how == "half" else state[name]
        assert torch.equal(value, expected), name
    assert (card.name, card.recipe, card.outputs) == ("mine", "unet3d", "tissues")
    assert card.training["imported_from"] == "net.pt"
    assert card.training["format"] == "PyTorch"


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "pickle"])
def test_a_program_in_a_file_is_not_run(legacy, source):
    """The reader stops at what is no weight, and its advice to trust the file is not repeated."""
    target = source.path.parent / "made"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(target),)

    if legacy:
        source.path.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    else:
        torch.save({"state_dict": Evil()}, source.path)
    refused(source, r"holds more than weights \(.*\) and was not imported")
    assert not target.exists()
    with pytest.raises(CheckpointError) as caught:
        import_weights(source, source.path.parent / "out.safetensors")
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 truncated", b"{}"])
def test_other_files_are_refused(content, source):
    """Empty, truncated, JSON."""
    source.path.write_bytes(content)
    refused(source, "neither HDF5|is damaged")


def test_what_does_not_fit_is_refused(source, network):
    """Another width, no weights at all, a missing file, an unknown recipe, NaN."""
    refused(replace(source, options={"width": 3}), r"has shape \(2, 3, 3, 3, 3\), expected \(3,")
    refused(replace(source, options={"depth": 3}), "cannot be built with")
    refused(replace(source, recipe=None), "--recipe, one of brain-1mm, ")
    refused(replace(source, recipe="secret"), "unknown recipe 'secret'")
    refused(replace(source, path=source.path.with_name("absent.pt")), "cannot read")
    torch.save({"epoch": 1}, source.path)
    refused(source, "holds no state dict")
    network.head.bias.data[0] = torch.nan
    torch.save(network.state_dict(), source.path)
    refused(source, "'head.bias' has weights that are not finite")


def test_a_checkpoint_that_is_there_stays(source):
    """An import replaces nothing."""
    card = source.path.with_name("out.json")
    card.write_text("{}")
    refused(source, "exists already", TakenError)
    assert card.read_text() == "{}"


def test_nnunets_label_order_is_warned_about_and_undone(source, network):
    """nnU-Net has edema before necrosis: said at every softmax import, exchanged if stated."""
    notices = []
    import_weights(source, source.path.with_name("as-is.safetensors"), on_notice=notices.append)
    assert "background, NCR, ED, ET" in notices[0]
    assert "--label-order nnunet" in notices[0]
    turned = replace(source, label_order="nnunet")
    path = import_weights(turned, source.path.with_name("turned"), on_notice=notices.append)
    assert "from background, ED, NCR, ET" in notices[1]
    image = torch.randn(1, 3, 16, 16, 16)
    with torch.no_grad():
        expected, found = network(image), load_checkpoint(path)[0](image)
    assert torch.equal(found, expected[:, [0, 2, 1, 3]])


def test_regions_have_no_order_of_labels(trained, tmp_path):
    """What was stated in vain is said; the weights stay as they are."""
    network, card = trained("isensee2017")
    torch.save(network.state_dict(), tmp_path / "net.pt")
    source = Source(tmp_path / "net.pt", "isensee2017", "paper", card.options, card.recipe)
    notices = []
    turned = replace(source, label_order="nnunet", outputs="regions")
    loaded, _ = load_checkpoint(import_weights(turned, tmp_path / "out", on_notice=notices.append))
    assert notices == ["the channels are WT, TC, ET, so --label-order does not count"]
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


@pytest.mark.parametrize("name", ["dr_unet104", "isensee2017"])
def test_the_order_of_every_head_is_undone(name, trained, tmp_path):
    """A norm before the last convolution keeps its channels; summed heads all change."""
    network, card = trained(name)
    torch.save(network.state_dict(), tmp_path / "net.pt")
    source = Source(tmp_path / "net.pt", name, "paper", card.options, card.recipe)
    path = import_weights(replace(source, label_order="nnunet"), tmp_path / "out")
    image = torch.randn(1, 4, *(32,) * (2 if name == "dr_unet104" else 3))
    with torch.no_grad():
        expected, found = network(image), load_checkpoint(path)[0](image)
    order = [0, 2, 1, 3] if name == "dr_unet104" else [1, 0, 2]
    assert torch.equal(found, expected[:, order])


def test_label_orders_hold_the_same_tissues():
    """An order is a permutation."""
    assert {frozenset(order) for order in LABEL_ORDERS.values()} == {frozenset(("NCR", "ED", "ET"))}


def test_keras_weights_become_a_checkpoint(source, network):
    """A Keras file is known by its content; its recipe is that of the published code."""
    path = source.path.with_name("weights.pt")
    convolutions = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Conv3d | torch.nn.ConvTranspose3d)
    }
    with h5py.File(path, "w") as file:
        names = []
        for number, module in enumerate(convolutions.values()):
            transposed = isinstance(module, torch.nn.ConvTranspose3d)
            names.append(f"conv3d{'_transpose' * transposed}_{number}")
            group = file.create_group(names[-1])
            group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
            group["kernel:0"] = module.weight.detach().permute(2, 3, 4, 1, 0).numpy()
            group["bias:0"] = module.bias.detach().numpy()
        file.attrs["layer_names"] = [name.encode() for name in names]
    notices = []
    keras = replace(source, path=path, recipe=None)
    output = import_weights(keras, path.with_name("keras"), on_notice=notices.append)
    loaded, card = load_checkpoint(output)
    assert notices == ["preprocessing taken from the published code: recipe 'unet3d-code'"]
    assert (card.recipe, card.training["format"]) == ("unet3d-code", "Keras HDF5")
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
