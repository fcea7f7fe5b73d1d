"""`predict_logits`: any volume through any network of ours, with an engine that nobody chose."""

import numpy as np
import pytest
import torch
from narrow import narrow_options
from torch import nn

from napari_brats.errors import Cancelled, CheckpointError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import make_engine
from napari_brats.inference.logits import predict_logits, spec_of
from napari_brats.networks.registry import MODELS, create_model, model_spec


@pytest.mark.parametrize("name", ["dresunet3d", "kermi2018"])
def test_logits_of_a_volume_of_any_size(name: str) -> None:
    """(C, X, Y, Z) to (K, X, Y, Z), and windows are close to the whole volume's shape."""
    torch.manual_seed(0)
    network = create_model(name, "lite", **narrow_options(name))
    volume = np.random.default_rng(0).normal(size=(4, 19, 33, 5)).astype(np.float32)
    whole = predict_logits(network, volume, device="cpu", precision="float32")
    cut = predict_logits(network, volume, device="cpu", precision="float32", window=16, overlap=0.5)
    assert whole.shape == cut.shape == (3, 19, 33, 5)
    assert whole.dtype == np.float32
    assert network.training


def test_a_whole_volume_equals_the_network_itself() -> None:
    """At a native size predict_logits adds nothing."""
    torch.manual_seed(0)
    network = create_model("dresunet3d", "lite", width=2).eval()
    volume = torch.randn(4, 16, 32, 16)
    with torch.inference_mode():
        expected = network(volume[None])[0].numpy()
    found = predict_logits(network, volume.numpy(), device="cpu", precision="float32")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_logits_come_without_the_engine_that_was_asked_for(monkeypatch) -> None:
    """OpenVINO that is not installed: PyTorch's logits, and one notice that says so."""
    monkeypatch.setattr(
        "napari_brats.inference.engines.find_spec", lambda name: name == "torch" or None
    )
    torch.manual_seed(0)
    network = create_model("dresunet3d", "lite", width=2).eval()
    volume, notices = np.ones((4, 16, 16, 16), np.float32), []
    options = {"device": "cpu", "precision": "float32", "on_notice": notices.append}
    expected = predict_logits(network, volume, engine="torch", **options)
    assert notices == []
    found = predict_logits(network, volume, engine="openvino", **options)
    np.testing.assert_array_equal(found, expected)
    (notice,) = notices
    assert "pip install" in notice
    assert notice.endswith("going on with PyTorch")


@pytest.mark.parametrize("shape", [(16, 16, 16), (3, 16, 16, 16), (4, 16, 0, 16), (4, 1, 8, 8, 8)])
def test_a_volume_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    """The message says what is expected and what came, before an engine is made."""
    network = create_model("dresunet3d", "lite", width=2)
    with pytest.raises(ValueError, match=r"must have the shape \(4, X, Y, Z\) .* got \(") as caught:
        predict_logits(network, np.zeros(shape, np.float32))
    assert str(shape) in str(caught.value)


@pytest.mark.slow
def test_a_volume_that_must_not_be_written_to_is_taken() -> None:
    """Such as one mapped from a file; torch would warn."""
    network = create_model("unet3d", "lite", **narrow_options("unet3d"))
    volume = np.random.default_rng(0).normal(size=(4, 16, 16, 16)).astype(np.float32)
    volume.setflags(write=False)
    options = {"engine": "torch", "device": "cpu", "precision": "float32"}
    found = predict_logits(network, volume, **options)
    np.testing.assert_array_equal(found, predict_logits(network, volume.copy(), **options))


def test_the_last_networks_memory_goes_before_the_next_takes_its_own(monkeypatch) -> None:
    """Two compiled networks of gigabytes are never held at once."""
    kept = {"the last": object()}
    monkeypatch.setattr("napari_brats.inference.logits._kept", kept)

    def engine(*_):
        assert kept == {}
        raise Cancelled("seen")

    monkeypatch.setattr("napari_brats.inference.logits.make_engine", engine)
    network = create_model("dresunet3d", "lite", width=2)
    with pytest.raises(Cancelled):
        predict_logits(network, np.zeros((4, 16, 16, 16), np.float32), engine="openvino")


@pytest.mark.slow
def test_what_was_compiled_is_kept_while_the_weights_stay(monkeypatch) -> None:
    """The second call makes no engine; weights written behind torch's back make a new one."""
    pytest.importorskip("openvino")
    made = []

    def counted(*arguments):
        made.append(arguments)
        return make_engine(*arguments)

    monkeypatch.setattr("napari_brats.inference.logits.make_engine", counted)
    torch.manual_seed(0)
    network = create_model("dresunet3d", "lite", width=2).eval()
    volume = np.random.default_rng(0).normal(size=(4, 16, 16, 16)).astype(np.float32)
    options = {"device": "cpu", "precision": "float32", "engine": "openvino"}
    first = predict_logits(network, volume, **options)
    np.testing.assert_array_equal(predict_logits(network, volume, **options), first)
    assert len(made) == 1
    network.head.weight.data *= 2
    changed = predict_logits(network, volume, **options)
    assert len(made) == 2
    with torch.inference_mode():
        expected = network(torch.from_numpy(volume)[None])[0].numpy()
    np.testing.assert_allclose(changed, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "precision", "installed", "expected"),
    [
        ("cpu", "bfloat16", ["torch", "openvino"], "openvino"),
        ("cpu", "float32", ["torch", "openvino"], "torch"),
        ("cpu", "bfloat16", ["torch"], "torch"),
        ("cuda", "bfloat16", ["torch", "openvino"], "torch"),
    ],
)
def test_the_engine_that_nobody_chose(kind, precision, installed, expected, monkeypatch) -> None:
    """OpenVINO on a CPU that computes in bfloat16 and has it, else PyTorch."""
    used = []

    def engine(network, spec, choice, name):
        used.append(name)
        raise Cancelled("seen")

    monkeypatch.setattr("napari_brats.inference.logits.make_engine", engine)
    monkeypatch.setattr("napari_brats.inference.logits.installed_engines", lambda kind: installed)
    monkeypatch.setattr(
        "napari_brats.inference.engines.resolve_device",
        lambda device, wanted: DeviceChoice(kind, precision, "somewhere"),
    )
    network = create_model("dresunet3d", "lite", width=2)
    with pytest.raises(Cancelled):
        predict_logits(network, np.zeros((4, 16, 16, 16), np.float32))
    assert used == [expected]


def test_a_networks_row_is_known_by_its_class() -> None:
    """Every network of the registry, and no other."""
    for name in MODELS:
        assert spec_of(create_model(name, "lite", **narrow_options(name))) is model_spec(name)
    with pytest.raises(CheckpointError, match="'Linear' is none of the networks dresunet3d"):
        spec_of(nn.Linear(1, 1))
