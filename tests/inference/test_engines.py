"""Engines: the table, and that the torch engine gives the network's own answer."""

import numpy as np
import pytest
import torch

from napari_brats.errors import DeviceError, EngineError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import ENGINES, TorchEngine, device_for, make_engine
from napari_brats.networks.registry import create_model, model_spec

CPU = DeviceChoice("cpu", "float32", "CPU")
SPEC = model_spec("dresunet3d")


def tiny_network() -> torch.nn.Module:
    """Return a seeded dResU-Net of width 2, in training mode as when it was made."""
    torch.manual_seed(0)
    return create_model("dresunet3d", "lite", width=2)


def test_the_torch_engine_gives_the_networks_logits() -> None:
    """In float32 equal to calling the network in evaluation mode."""
    network = tiny_network()
    batch = torch.randn(2, 4, 16, 16, 16)
    found = TorchEngine(network, SPEC, CPU)(batch)
    network.eval()
    with torch.inference_mode():
        expected = network(batch)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_callers_network_is_left_as_it_is() -> None:
    """Neither its mode, its statistics nor its memory layout change."""
    network = tiny_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    engine = TorchEngine(network, SPEC, CPU)
    engine(torch.randn(1, 4, 16, 16, 16))
    engine.bytes_per_voxel(4, (16, 16, 16))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(value.is_contiguous() for value in network.parameters())


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_weights_of_any_number_type_are_taken(kind: torch.dtype) -> None:
    """As float32; the caller's keep their own."""
    network = tiny_network().to(kind)
    batch = torch.randn(1, 4, 16, 16, 16)
    found = TorchEngine(network, SPEC, CPU)(batch)
    network.eval().float()
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(batch), atol=1e-5)


def test_mixed_precision_stays_close_and_returns_float32() -> None:
    """bfloat16 keeps about three digits."""
    network = tiny_network()
    batch = torch.randn(1, 4, 16, 16, 16)
    exact = TorchEngine(network, SPEC, CPU)(batch)
    mixed = TorchEngine(network, SPEC, DeviceChoice("cpu", "bfloat16", "CPU"))(batch)
    assert mixed.dtype == torch.float32
    assert not torch.equal(mixed, exact)
    np.testing.assert_allclose(mixed, exact, atol=0.05 * float(exact.abs().max()))


def test_half_the_bytes_take_half_the_memory() -> None:
    """The estimate follows the precision."""
    network = create_model("dresunet3d", "lite", width=16)
    full, half = (
        TorchEngine(network, SPEC, DeviceChoice("cpu", precision, "CPU")).bytes_per_voxel(
            4, (16, 16, 16)
        )
        for precision in ("float32", "bfloat16")
    )
    assert 0.4 < half / full < 0.8


def test_auto_takes_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of device has it, and it needs no further package; others are named if absent."""
    monkeypatch.setattr(
        "napari_brats.inference.engines.find_spec", lambda name: name == "torch" or None
    )
    assert make_engine(tiny_network(), SPEC, CPU).name == "torch"
    assert ENGINES["torch"].kinds == ("cuda", "mps", "cpu")
    with pytest.raises(EngineError, match=r"needs the package 'openvino'.*pip install"):
        make_engine(tiny_network(), SPEC, CPU, "openvino")


def test_an_engine_that_does_not_run_on_the_device_is_refused() -> None:
    """OpenVINO is for CPUs; nothing is loaded before it is said."""
    gpu = DeviceChoice("cuda", "bfloat16", "GPU", 0)
    with pytest.raises(DeviceError, match=r"'openvino' .*does not run on cuda; .* one of torch"):
        make_engine(tiny_network(), SPEC, gpu, "openvino")


def test_a_device_is_taken_that_the_engine_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a GPU OpenVINO gets the CPU, unless somebody asks for the GPU; others get the GPU."""
    gpu = DeviceChoice("cuda", "bfloat16", "GPU", 0)
    monkeypatch.setattr(
        "napari_brats.inference.engines.resolve_device",
        lambda device, precision: CPU if device == "cpu" else gpu,
    )
    assert device_for("auto", "auto", "openvino") == CPU
    assert device_for("cuda", "auto", "openvino") == gpu
    for engine in ("auto", "torch", "unknown"):
        assert device_for("auto", "auto", engine) == gpu


def test_an_unknown_engine_lists_the_choices() -> None:
    """The message quotes the request."""
    with pytest.raises(DeviceError, match=r"engine 'tvm' is unknown .*choose auto or one of torch"):
        make_engine(tiny_network(), SPEC, CPU, "tvm")
