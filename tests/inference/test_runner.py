"""Running over a volume: blending, empty windows, batches, progress and cancelling."""

from collections.abc import Callable

import numpy as np
import pytest
from fake_engine import CPU, RNG, FakeEngine, linear, run

from napari_brats.errors import Cancelled
from napari_brats.inference import runner
from napari_brats.inference.runner import Settings


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


@pytest.mark.usefixtures("five_slices")
def test_slices_go_in_batches_of_one_size() -> None:
    """Every slice once; the last batch holds the rest."""
    engine = FakeEngine(CPU)
    run(engine, RNG.normal(size=(4, 240, 240, 5)).astype(np.float32), Settings(2, 8))
    assert engine.batches == [(2, 4, 240, 240), (2, 4, 240, 240), (1, 4, 240, 240)]


@pytest.mark.parametrize("sides", [(240, 240), (144, 176)])
def test_a_cpu_takes_a_slice_at_a_time(sides: tuple[int, int]) -> None:
    """Of a whole field or of a brain box: a cancel waits for no more than one."""
    engine = FakeEngine(CPU)
    run(engine, RNG.normal(size=(1, *sides, 3)).astype(np.float32), Settings(2, 8))
    assert engine.batches == [(1, 1, *sides)] * 3


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
    seen = []
    monkeypatch.setattr(FakeEngine, "__call__", lambda self, batch: seen.append(batch) or batch)
    run(FakeEngine(CPU), np.ones((1, 3, 4, 4), np.float32), Settings(3, 4, background=-9))
    assert (seen[0][0, 0, 3] == -9).all()


@pytest.mark.usefixtures("five_slices")
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
