"""Keras weights give the outputs of Keras' layers; anything else in a file is left alone."""

import functools
import importlib.util
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from napari_brats.errors import CheckpointError
from napari_brats.networks.keras_import import keras_weights
from napari_brats.networks.registry import create_model

_SPEC = importlib.util.spec_from_file_location(
    "keras_reference", Path(__file__).with_name("keras_reference.py")
)
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)

# Widths double from level to level as in the papers, so that the same shapes coincide.
NETWORKS = {
    "dresunet3d": ((16, 16, 16, 4), {"width": 2}),
    "dr_unet104": ((16, 48, 4), {"widths": [1, 2, 4, 8, 16, 32]}),
    "kermi2018": ((16, 24, 4), {"width": 2}),
    "unet3d": ((16, 16, 32, 3), {"width": 2}),
    "isensee2017": ((32, 16, 16, 4), {"width": 2}),
}
EVERY = pytest.mark.parametrize("name", NETWORKS)


@functools.cache
def graph_of(name, **options):
    """Return a network in NumPy with its input and output (X.., C)."""
    shape, own = NETWORKS[name]
    graph = reference.Graph()
    image = graph.input(*shape)
    output = getattr(reference, name)(graph, image, **own, **options)
    return graph, image.value, output.value


def outputs_of(path, name, image, **options):
    """Return what our network gives with a file's weights, (X.., K)."""
    with torch.device("meta"):
        network = create_model(name, **NETWORKS[name][1], **options)
    network.load_state_dict(keras_weights(path, network, "net"), assign=True)
    batch = torch.from_numpy(np.moveaxis(image, -1, 0)[None].copy())
    with torch.no_grad():
        return np.moveaxis(network.eval()(batch)[0].numpy(), 0, -1)


def check_equal(found, expected):
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4 * np.abs(expected).max())


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """A plain U-Net's graph, its file and what it gives."""
    graph, image, expected = graph_of("unet3d")
    path = tmp_path_factory.mktemp("keras") / "unet.h5"
    graph.write(path)
    return graph, path, image, expected


@pytest.fixture
def damaged(unet, tmp_path):
    """Return a function that changes a copy of the plain U-Net's file and has it refused."""

    def refuse(change, match):
        path = tmp_path / "copy.h5"
        path.write_bytes(unet[1].read_bytes())
        with h5py.File(path, "r+") as file:
            change(file)
        refused(path, match)

    return refuse


def refused(path, match, **options):
    """Check that a file is refused in one line."""
    with torch.device("meta"):
        network = create_model("unet3d", **{"width": 2, **options})
    with pytest.raises(CheckpointError, match=match) as caught:
        keras_weights(path, network, "net")
    assert "\n" not in str(caught.value)


@EVERY
@pytest.mark.parametrize("last_first", [False, True])
def test_outputs_are_those_of_the_layers(name, last_first, tmp_path):
    """Whichever of two parallel branches Keras lists first, the logits are the reference's."""
    graph, image, expected = graph_of(name)
    graph.write(tmp_path / "net.hdf5", last_first=last_first)
    check_equal(outputs_of(tmp_path / "net.hdf5", name, image), expected)


def test_normalized_heads(tmp_path):
    """Three instance norms of three channels each are told apart by their order."""
    graph, image, expected = graph_of("isensee2017", normalized_heads=True)
    graph.write(tmp_path / "net.h5")
    found = outputs_of(tmp_path / "net.h5", "isensee2017", image, normalized_heads=True)
    check_equal(found, expected)


@pytest.mark.parametrize(
    "how", [{"whole": True}, {"pieces": 3}, {"theano": True}], ids=lambda how: next(iter(how))
)
def test_layouts(how, unet, tmp_path):
    """A whole model, names too long for one attribute, and Theano's flipped kernels."""
    graph, _, image, expected = unet
    graph.write(tmp_path / "net.h5", **how)
    check_equal(outputs_of(tmp_path / "net.h5", "unet3d", image), expected)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x89HDF\r\n\x1a\n" + b"\0" * 500])
def test_other_and_damaged_files_are_refused(content, tmp_path):
    """An empty, another and a truncated file."""
    (tmp_path / "net.h5").write_bytes(content)
    refused(tmp_path / "net.h5", "damaged or not a Keras weights file")


def test_another_width_is_refused_before_reading(unet, monkeypatch):
    """The message names the tensor; no array is read for it."""
    monkeypatch.setattr(h5py.Dataset, "__getitem__", None)
    refused(
        unet[1], r"no layer is left for 'encoder.0.0', which needs .*\(3, 3, 3, 3, 4\)", width=4
    )
    refused(unet[1], r"'head', which needs bias \(3,\)", out_channels=3)


def test_a_layer_too_many_is_refused(damaged):
    """A head of another task is not dropped silently."""

    def change(file):
        names = file.attrs["layer_names"]
        file.attrs["layer_names"] = np.append(names.astype("S40"), b"dense_1")
        group = file.create_group("dense_1")
        group.attrs["weight_names"] = [b"dense_1/kernel:0"]
        group["dense_1/kernel:0"] = np.zeros((5, 1), np.float32)

    damaged(change, r"1 layers have no place in it, such as 'dense_1' with kernel \(5, 1\)")


def test_links_to_other_files_are_not_followed(damaged, tmp_path):
    """Neither as a layer nor as an array; a file that is named there is never opened."""

    def layer(file):
        del file["conv3d_1"]
        file["conv3d_1"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")

    def array(file):
        del file["conv3d_1/conv3d_1/bias:0"]
        file["conv3d_1/conv3d_1/bias:0"] = h5py.SoftLink("/conv3d_2")

    def outside(file):
        del file["conv3d_1/conv3d_1/bias:0"]
        (tmp_path / "raw").write_bytes(bytes(8))
        file["conv3d_1"].create_dataset(
            "conv3d_1/bias:0", (2,), "f4", external=[(str(tmp_path / "raw"), 0, 8)]
        )

    damaged(layer, "missing or points elsewhere")
    damaged(array, "missing or points elsewhere")
    damaged(outside, "no array of floats in this file")


def test_arrays_of_other_things_are_refused(damaged):
    """Texts or whole numbers are no weights."""

    def change(file):
        del file["conv3d_1/conv3d_1/bias:0"]
        file["conv3d_1/conv3d_1/bias:0"] = [b"ab", b"cd"]

    damaged(change, "no array of floats in this file")


def test_keras_3_weights_are_explained(damaged):
    """Its own format lists no layers; the message says how to save the other."""
    damaged(lambda file: file.attrs.__delitem__("layer_names"), r"model.save\('weights.h5'\)")


def test_without_h5py_the_extra_is_named(unet, monkeypatch):
    """The package is optional."""
    monkeypatch.setitem(sys.modules, "h5py", None)
    refused(unet[1], r'pip install "napari-brats\[models\]"')
