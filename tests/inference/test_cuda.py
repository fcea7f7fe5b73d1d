"""What the torch engine does on CUDA, on a CPU that pretends: calls and numbers, not speed."""

import weakref

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_brats.inference import engines
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import TorchEngine
from napari_brats.inference.runner import Settings, run_network
from napari_brats.networks.registry import create_model, model_spec

CPU = DeviceChoice("cpu", "float32", "CPU")
GPU = DeviceChoice("cuda", "float32", "GPU 1", 1)
SPEC = model_spec("dresunet3d")


class FakeEvent:
    """Writes down when it was recorded and waited for."""

    log: list[str]

    def __init__(self) -> None:
        self.number = sum(line.startswith("record") for line in self.log)

    def record(self, stream: str) -> None:
        self.log.append(f"record {self.number} on {stream}")

    def synchronize(self) -> None:
        self.log.append(f"wait for {self.number}")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the CPU pass for a GPU; return what is asked of it."""
    log: list[str] = []
    monkeypatch.setattr(FakeEvent, "log", log, raising=False)
    monkeypatch.setattr(DeviceChoice, "torch_name", "cpu")
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda index: f"stream of {index}")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (2**33, 2**34))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: log.append("empty the cache"))
    monkeypatch.setattr(TorchEngine, "_autocast", lambda self: torch.autocast("cpu", enabled=False))

    def pin(tensor: Tensor) -> Tensor:
        log.append("up")
        return tensor.clone()

    def page_locked(like: Tensor) -> Tensor:
        log.append("down")
        return torch.empty(like.shape)

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    monkeypatch.setattr(engines, "_page_locked", page_locked)
    return log


def network() -> torch.nn.Module:
    """Return a seeded dResU-Net of width 2."""
    torch.manual_seed(0)
    return create_model("dresunet3d", "lite", width=2).eval()


def run(device: DeviceChoice, **settings) -> np.ndarray:
    """Return the logits of one volume in windows of 16."""
    volume = np.random.default_rng(0).normal(size=(4, 19, 30, 16)).astype(np.float32)
    volume[:, :, 16:] = 0
    return run_network(
        lambda choice: TorchEngine(network(), SPEC, choice),
        volume,
        device,
        Settings(3, 16, window=16, overlap=0.0),
        **settings,
    ).values


def test_the_gpus_way_gives_the_cpus_logits(gpu: list[str]) -> None:
    """Windows, empty ones too, in batches: the same blend, through either way's transfers."""
    expected = run(CPU)
    assert gpu == []
    np.testing.assert_allclose(run(GPU), expected, atol=1e-6)


def test_the_volume_and_the_logits_cross_over_once(gpu: list[str]) -> None:
    """Not once a window; on a GPU each copy of a window makes it wait."""
    run(GPU)
    assert (gpu.count("up"), gpu.count("down")) == (1, 1)
    assert gpu[0] == "up"
    assert gpu[-1] == "down"


def test_at_most_two_batches_are_under_way(gpu: list[str]) -> None:
    """Each waits for the one before it, on its own GPU; so progress and cancelling keep pace."""
    engine = TorchEngine(network(), SPEC, GPU)
    for _ in range(3):
        engine(torch.zeros(1, 4, 16, 16, 16))
    assert gpu == [
        "record 0 on stream of 1",
        "record 1 on stream of 1",
        "wait for 0",
        "record 2 on stream of 1",
        "wait for 1",
    ]


@pytest.mark.parametrize(("precision", "allowed"), [("float32", False), ("bfloat16", True)])
def test_float32_means_float32(
    gpu: list[str], precision: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TF32 is off during the pass, and afterwards what it was."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seen = []
    engine = TorchEngine(network(), SPEC, DeviceChoice("cuda", precision, "GPU", 0))
    engine._network.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    engine(torch.zeros(1, 4, 16, 16, 16))
    assert seen == [allowed]
    assert torch.backends.cudnn.allow_tf32


def test_a_failed_pass_is_let_go_before_the_memory_is_given_back(
    gpu: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a GPU that had no room keeps what failed while the CPU goes on."""
    failed: list[weakref.ref[Tensor]] = []
    held: list[bool] = []
    call = TorchEngine.__call__

    def full(self: TorchEngine, batch: Tensor) -> Tensor:
        if self.device.kind == "cpu":
            return call(self, batch)
        half_done = batch.clone()
        failed.append(weakref.ref(half_done))
        raise torch.OutOfMemoryError("CUDA out of memory")

    def empty_cache() -> None:
        held.append(failed[-1]() is not None)

    expected = run(CPU)
    monkeypatch.setattr(TorchEngine, "__call__", full)
    monkeypatch.setattr(torch.cuda, "empty_cache", empty_cache)
    notices: list[str] = []
    np.testing.assert_allclose(run(GPU, on_notice=notices.append), expected, atol=1e-6)
    assert notices[-1] == "out of memory on GPU 1, float32; going on on the CPU"
    assert len(held) > 1
    assert not any(held)


def test_memory_is_tried_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next patient does not pay for it again."""
    calls: list[int] = []
    monkeypatch.setattr(engines, "bytes_per_voxel", lambda _, channels, __: calls.append(1) or 7.0)
    engine = TorchEngine(network(), SPEC, CPU)
    assert [engine.bytes_per_voxel(4, (16, 16, 16)) for _ in range(3)] == [7.0] * 3
    assert calls == [1]
