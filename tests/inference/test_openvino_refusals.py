"""What OpenVINO refuses becomes an `EngineError`, so that PyTorch can go on."""

import numpy as np
import pytest
import torch

from napari_brats.errors import EngineError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.networks.registry import create_model, model_spec

pytest.importorskip("openvino", reason="OpenVINO is not installed")

from napari_brats.inference import openvino_models
from napari_brats.inference.openvino_engine import OpenVINOEngine

CPU = DeviceChoice("cpu", "float32", "CPU")


def tiny_network() -> torch.nn.Module:
    """Return a seeded dResU-Net of width 2."""
    torch.manual_seed(0)
    return create_model("dresunet3d", "lite", width=2).eval()


def test_a_refusal_says_what_openvino_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lack of memory is none: the runner then tries something smaller."""
    for trouble, kind in (
        ("Check failed:\nno such layer", EngineError),
        ("bad_alloc", RuntimeError),
    ):

        def refuse(*_: object, trouble: str = trouble) -> None:
            raise RuntimeError(trouble)

        monkeypatch.setattr(openvino_models, "_convert", refuse)
        engine = OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)
        with pytest.raises(kind, match=trouble.splitlines()[-1]):
            engine(torch.zeros(1, 4, 16, 16, 16))


class _Bessel(torch.nn.Module):
    in_channels = 4

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(x)


def test_a_layer_that_openvino_does_not_know_is_a_refusal() -> None:
    """Its converter raises errors of its own kind, which are no `RuntimeError`."""
    engine = OpenVINOEngine(_Bessel(), model_spec("dresunet3d"), CPU)
    with pytest.raises(EngineError, match=r"refuses this network \(.*aten::special_bessel_j0"):
        engine(torch.zeros(1, 4, 16, 16, 16))


@pytest.mark.parametrize("trouble", [ImportError("libtbb.so.12: not found"), RuntimeError("")])
def test_openvino_that_does_not_load_is_a_refusal(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is there but broken, like one that is not there: PyTorch goes on."""

    def broken() -> None:
        raise trouble

    monkeypatch.setattr("openvino.Core", broken)
    with pytest.raises(EngineError, match=r"does not load .*; pip install --force-reinstall"):
        OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)


@pytest.mark.slow
def test_a_shape_that_the_network_does_not_take_is_a_refusal() -> None:
    """17 voxels do not halve four times: what the runner hears is an `EngineError`."""
    engine = OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)
    with pytest.raises(EngineError, match="not multiples of 16"):
        engine(torch.zeros(1, 4, 17, 16, 16))


def test_values_that_are_no_numbers_are_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch goes on rather than a mask of nothing."""
    engine = OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)
    monkeypatch.setattr(
        engine, "_for", lambda size: lambda *_, **__: [np.full(size, np.nan, np.float32)]
    )
    with pytest.raises(EngineError, match="no numbers"):
        engine(torch.zeros(1, 4, 16, 16, 16))
