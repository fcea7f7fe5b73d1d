"""What a run does when memory, an engine, a device or a number format does not suffice."""

import numpy as np
import pytest
import torch
from fake_engine import CPU, GPU, RNG, FakeEngine, linear, run
from torch import Tensor

from napari_brats.errors import CheckpointError, DeviceError, EngineError
from napari_brats.inference import runner
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.runner import Settings, run_network


@pytest.mark.usefixtures("five_slices")
def test_out_of_memory_first_halves_the_batch() -> None:
    """Four slices, two, one: each step is said, the result is right."""
    engine = FakeEngine(CPU, room=160 * 160)
    notices: list[str] = []
    volume = RNG.normal(size=(2, 160, 160, 4)).astype(np.float32)
    found = run(engine, volume, Settings(2, 8), on_notice=notices.append)
    np.testing.assert_allclose(found, linear(volume), atol=1e-5)
    assert [notice.partition("; ")[2] for notice in notices] == [
        "trying again with 2 window(s) of 160x160x1 voxels at a time",
        "trying again with 1 window(s) of 160x160x1 voxels at a time",
    ]
    assert engine.released == 2


def test_out_of_memory_then_shrinks_the_window() -> None:
    """A whole volume of 112 x 48 x 48, then windows of 96, 64 and 32."""
    engine = FakeEngine(CPU, room=40**3)
    notices: list[str] = []
    volume = RNG.normal(size=(1, 112, 48, 48)).astype(np.float32)
    found = run(engine, volume, Settings(3, 16), on_notice=notices.append)
    np.testing.assert_allclose(found, linear(volume), atol=1e-5)
    assert engine.batches[0][2:] == (32, 32, 32)
    assert [notice.split(" of ")[-1] for notice in notices] == [
        "96x48x48 voxels at a time",
        "64x48x48 voxels at a time",
        "32x32x32 voxels at a time",
    ]


@pytest.mark.parametrize("no_room_for_weights", [True, False])
def test_out_of_memory_at_last_goes_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, no_room_for_weights: bool
) -> None:
    """When a GPU has no room for the smallest window, or not even for the weights."""
    monkeypatch.setattr(runner, "free_bytes", lambda device: 2**40)
    engines: list[FakeEngine] = []
    notices: list[str] = []

    def make_engine(device: DeviceChoice) -> FakeEngine:
        if device.kind == "cuda" and no_room_for_weights:
            raise torch.OutOfMemoryError("CUDA out of memory")
        engines.append(FakeEngine(device, room=0 if device.kind == "cuda" else 2**40))
        return engines[-1]

    volume = RNG.normal(size=(1, 48, 48, 48)).astype(np.float32)
    logits, engine, _ = run_network(
        make_engine, volume, GPU, Settings(3, 16), on_notice=notices.append
    )
    assert (engine.device.kind, engine.device.precision) == ("cpu", "float32")  # as asked
    assert notices[-1] == "out of memory on GPU 0, float32; going on on the CPU"
    np.testing.assert_allclose(logits, linear(volume), atol=1e-5)


def test_a_computer_too_small_for_one_window_is_an_error() -> None:
    """Nothing smaller is left: say so, with the cure."""
    engine = FakeEngine(CPU, room=0)
    with pytest.raises(
        DeviceError, match=r"not suffice for one window of 32x32x32 .* smaller model"
    ):
        run(engine, np.ones((1, 40, 40, 40), np.float32), Settings(3, 16))


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    """A bug keeps its traceback."""

    def broken(device: DeviceChoice) -> FakeEngine:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run_network(broken, np.ones((1, 8, 8, 8), np.float32), CPU, Settings(3, 8))


def test_another_engine_takes_over_from_one_that_refuses() -> None:
    """With a notice; without another the refusal is the caller's."""
    notices: list[str] = []

    class Refusing(FakeEngine):
        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            raise EngineError("OpenVINO refuses this network (no such layer)")

    volume = RNG.normal(size=(1, 16, 16, 16)).astype(np.float32)
    refusing = Refusing(CPU)
    _, engine, _ = run_network(
        lambda device: refusing,
        volume,
        CPU,
        Settings(3, 16),
        instead=lambda device: FakeEngine(device, room=2**40),
        on_notice=notices.append,
    )
    assert type(engine) is FakeEngine
    assert notices == [
        "OpenVINO refuses this network (no such layer); going on with PyTorch",
    ]
    assert refusing.released == 1
    with pytest.raises(EngineError):
        run(Refusing(CPU, room=2**40), volume, Settings(3, 16))


def test_a_device_without_a_layer_gives_way_to_the_cpu() -> None:
    """Apple's GPUs lack 3D layers in some versions of torch: the CPU goes on, and says so."""
    notices: list[str] = []

    def make_engine(device: DeviceChoice) -> FakeEngine:
        if device.kind != "cpu":
            raise NotImplementedError("ConvTranspose 3D is not supported on MPS")
        return FakeEngine(device, room=2**40)

    volume = RNG.normal(size=(1, 16, 16, 16)).astype(np.float32)
    _, engine, _ = run_network(make_engine, volume, GPU, Settings(3, 16), on_notice=notices.append)
    assert engine.device.kind == "cpu"
    assert notices == ["this network does not run on GPU 0, float32; going on on the CPU"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_format_that_is_too_small_gives_way_to_float32(bad: float) -> None:
    """What overflows in float16 would be a mask of nothing: the same device goes on, exactly."""
    notices: list[str] = []

    class Overflowing(FakeEngine):
        def __call__(self, batch: Tensor) -> Tensor:
            logits = super().__call__(batch)
            if self.device.precision == "float16":
                logits[0, 1, 0, 0, 0] = bad
            return logits

    volume = RNG.normal(size=(1, 16, 16, 16)).astype(np.float32)
    half = DeviceChoice("cpu", "float16", "CPU")
    logits, engine, _ = run_network(
        Overflowing, volume, half, Settings(3, 16, window=16), on_notice=notices.append
    )
    assert engine.device == CPU
    assert notices == ["values that are no numbers on CPU, float16; trying again in float32"]
    np.testing.assert_allclose(logits, linear(volume), atol=1e-5)


def test_values_that_are_no_numbers_in_float32_are_an_error() -> None:
    """No mask rather than an empty one."""
    volume = np.full((1, 16, 16, 16), np.nan, np.float32)
    with pytest.raises(CheckpointError, match=r"no numbers; look for such voxels"):
        run(FakeEngine(CPU), volume, Settings(3, 16))


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_device_that_fails_gives_way_to_the_cpu(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that crashed, a GPU that was unplugged; not even its cache can be emptied."""
    monkeypatch.setattr(runner, "free_bytes", lambda device: 2**40)
    notices: list[str] = []

    class Failing(FakeEngine):
        def __call__(self, batch: Tensor) -> Tensor:
            if self.device.kind != "cpu":
                raise error
            return super().__call__(batch)

        def release(self) -> None:
            raise error

    volume = RNG.normal(size=(1, 16, 16, 16)).astype(np.float32)
    logits, engine, _ = run_network(
        Failing, volume, GPU, Settings(3, 16, window=16), on_notice=notices.append
    )
    assert engine.device.kind == "cpu"
    (notice,) = notices
    assert notice.startswith("failure (cu" if "cuDNN" in str(error) else "failure (CUDA error: un")
    assert notice.endswith("on GPU 0, float32; going on on the CPU")
    np.testing.assert_allclose(logits, linear(volume), atol=1e-5)


def test_what_an_engine_keeps_is_let_go_before_a_volume_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory of earlier patients' sizes must not cost this one its single pass."""
    engine = FakeEngine(CPU)
    monkeypatch.setattr(
        runner, "free_bytes", lambda device: 2**40 if engine.released else 40**3 / 0.6
    )
    run(engine, RNG.normal(size=(1, 48, 48, 48)).astype(np.float32), Settings(3, 16))
    assert engine.batches == [(1, 1, 48, 48, 48)]
    run(engine, RNG.normal(size=(1, 48, 48, 48)).astype(np.float32), Settings(3, 16))
    assert engine.released == 1
