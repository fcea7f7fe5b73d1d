"""Running over a volume: blending, empty windows, cancelling, and the memory ladder."""

import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_brats.errors import Cancelled, DeviceError, EngineError
from napari_brats.inference import runner
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.runner import Settings, run_network

CPU = DeviceChoice("cpu", "float32", "CPU")
GPU = DeviceChoice("cuda", "float32", "GPU 0", 0)
RNG = np.random.default_rng(0)


class FakeEngine:
    """A linear network that looks at one voxel: two logits out of all channels.

    ``room`` is how many voxels fit a pass; more raise what a full device raises.
    """

    name = "fake"

    def __init__(self, device: DeviceChoice, room: int = 2**40, per_voxel: float = 1.0) -> None:
        self.device = device
        self.room = room
        self.per_voxel = per_voxel
        self.batches: list[tuple[int, ...]] = []
        self.outputs: list[weakref.ref[Tensor]] = []
        self.released = 0

    def put(self, volume: Tensor) -> Tensor:
        return volume

    def fetch(self, logits: Tensor) -> Tensor:
        return logits.contiguous()

    def __call__(self, batch: Tensor) -> Tensor:
        voxels = batch[:, 0].numel()
        if voxels > self.room:
            raise torch.OutOfMemoryError("out of memory")
        self.batches.append(tuple(batch.shape))
        logits = torch.stack([batch.sum(1), 3 - 2 * batch[:, 0]], dim=1)
        self.outputs.append(weakref.ref(logits))
        return logits

    def bytes_per_voxel(self, channels: int) -> float:
        return self.per_voxel

    def release(self) -> None:
        self.released += 1


def linear(volume: np.ndarray) -> np.ndarray:
    """Return what the fake network says of a whole volume."""
    return np.stack([volume.sum(0), 3 - 2 * volume[0]])


def run(engine: FakeEngine, volume: np.ndarray, settings: Settings, **options) -> np.ndarray:
    """Run with one engine whatever the device."""
    return run_network(lambda device: engine, volume, engine.device, settings, **options)[0]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("window", [None, 4, 8])
@pytest.mark.parametrize("overlap", [None, 0.0, 0.6])
def test_a_linear_network_gives_the_same_in_windows_as_whole(
    ndim: int, window: int | None, overlap: float | None
) -> None:
    """Slices or cubes, padded, blended, in batches: equal to the whole volume's logits."""
    volume = RNG.normal(size=(3, 13, 10, 7)).astype(np.float32)
    found = run(FakeEngine(CPU), volume, Settings(ndim, 4, window, overlap))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, linear(volume), atol=1e-5)


def test_a_whole_volume_that_fits_is_one_pass() -> None:
    """One batch of one window, padded with the background."""
    engine = FakeEngine(CPU)
    run(engine, np.ones((2, 13, 10, 7), np.float32), Settings(3, 8))
    assert engine.batches == [(1, 2, 16, 16, 8)]


@pytest.mark.slow
def test_a_network_too_large_for_memory_gets_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for 40^3 voxels a 100^3 volume is cut into cubes of 32."""
    monkeypatch.setattr(runner, "free_bytes", lambda device: 40**3 / 0.6)
    engine = FakeEngine(CPU)
    volume = RNG.normal(size=(1, 100, 100, 100)).astype(np.float32)
    found = run(engine, volume, Settings(3, 16))
    assert {batch[2:] for batch in engine.batches} == {(32, 32, 32)}
    np.testing.assert_allclose(found, linear(volume), atol=1e-5)


def test_slices_go_in_batches_of_one_size() -> None:
    """Every slice once; the last batch holds the rest."""
    engine = FakeEngine(CPU)
    run(engine, RNG.normal(size=(4, 240, 240, 5)).astype(np.float32), Settings(2, 8))
    assert engine.batches == [(2, 4, 240, 240), (2, 4, 240, 240), (1, 4, 240, 240)]


@pytest.mark.parametrize("background", [0.0, -9.0])
def test_empty_slices_are_computed_once(background: float) -> None:
    """Ten slices, two with content: equal windows are not sent again, the logits are right."""
    volume = np.full((2, 64, 64, 200), background, np.float32)
    volume[:, 5, 5, 80:82] = 3
    engine = FakeEngine(CPU)
    found = run(engine, volume, Settings(2, 8, background=background))
    np.testing.assert_allclose(found, linear(volume), atol=1e-5)
    assert sum(batch[0] for batch in engine.batches) < 100


def test_padding_takes_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the volume ends, the network sees the recipe's background."""
    seen: list[Tensor] = []
    monkeypatch.setattr(FakeEngine, "__call__", lambda self, batch: seen.append(batch) or batch)
    run(FakeEngine(CPU), np.ones((1, 3, 4, 4), np.float32), Settings(3, 4, background=-9))
    assert (seen[0][0, 0, 3] == -9).all()


def test_steps_count_windows() -> None:
    """First (0, total), then upwards to (total, total)."""
    steps: list[tuple[int, int]] = []
    volume = RNG.normal(size=(4, 240, 240, 6)).astype(np.float32)
    run(FakeEngine(CPU), volume, Settings(2, 8), on_step=lambda *step: steps.append(step))
    assert steps == [(0, 6), (2, 6), (4, 6), (6, 6)]


def cancel_at(number: int) -> Callable[[int, int], None]:
    """Return an on_step that stops the work once so many windows are done."""

    def on_step(done: int, total: int) -> None:
        if done >= number:
            raise Cancelled("stopped")

    return on_step


def test_cancelling_takes_effect_at_the_next_window_and_frees_memory() -> None:
    """No window runs after it, and even while the exception lives no logits do."""
    engine = FakeEngine(CPU)
    volume = RNG.normal(size=(1, 16, 8, 8)).astype(np.float32)
    try:
        run(engine, volume, Settings(3, 8, window=8, overlap=0.0), on_step=cancel_at(1))
    except Cancelled:
        assert all(output() is None for output in engine.outputs)
    else:
        pytest.fail("the work went on")
    assert len(engine.batches) == 1
    assert engine.released == 1


def test_cancelling_before_the_first_window_computes_nothing() -> None:
    """The step (0, total) can stop as well."""
    engine = FakeEngine(CPU)
    with pytest.raises(Cancelled):
        run(engine, np.ones((1, 8, 8, 8), np.float32), Settings(3, 8), on_step=cancel_at(0))
    assert engine.batches == []


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
    _, engine, _ = run_network(
        lambda device: Refusing(device, room=2**40),
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
