"""Running an engine over a volume: batches, blending, cancelling, and what goes wrong."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CheckpointError, DeviceError, EngineError
from napari_brats.inference.blending import blend
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.inference.engines import Engine
from napari_brats.inference.memory import (
    free_bytes,
    is_device_failure,
    is_out_of_memory,
    voxels,
)
from napari_brats.inference.steps import OnStep
from napari_brats.inference.windows import (
    DEFAULT_OVERLAP,
    Shape,
    WindowPlan,
    plan_windows,
    round_up,
)

OnNotice = Callable[[str], object]
EngineMaker = Callable[[DeviceChoice], Engine]

WINDOW_SIDES = (192, 160, 128, 96, 64, 32)
_SHARE_OF_MEMORY = 0.6
# A batch of about this many voxels fills the device. A CPU is as fast with one slice of a brain
# at a time (measured), and progress and cancelling are brisk.
_BATCH_VOXELS = {"cpu": 2**15, "mps": 2**20, "cuda": 2**22}


@dataclass(frozen=True)
class Settings:
    """How a volume is to be run.

    Parameters
    ----------
    ndim, multiple : int
        Of the network: its row of `MODELS`.
    window : int or None
        Longest side of a window; None for the whole volume where memory allows, else the
        largest of `WINDOW_SIDES` that does.
    overlap : float or None
        Share of a window that neighbors have in common; None for the default.
    background : float
        Value outside the brain, for padding.
    """

    ndim: int
    multiple: int
    window: int | None = None
    overlap: float | None = None
    background: float = 0.0

    def plan(self, shape: Shape, window: int | None) -> WindowPlan:
        """Return the plan for a volume with windows of at most this side."""
        overlap = DEFAULT_OVERLAP if self.overlap is None else self.overlap
        return plan_windows(shape, window, multiple=self.multiple, ndim=self.ndim, overlap=overlap)


class Ran(NamedTuple):
    """What a network gave.

    ``values`` are float32 (K, X, Y, Z); ``engine`` made them in the end and needed about
    ``memory_bytes`` for it, beside the weights.
    """

    values: NDArray[np.float32]
    engine: Engine
    memory_bytes: int


@dataclass(frozen=True)
class _Attempt:
    engine: Engine
    plan: WindowPlan
    batch: int
    bytes_per_voxel: float

    @property
    def memory_bytes(self) -> int:
        return int(self.batch * voxels(self.plan.window) * self.bytes_per_voxel)


def run_network(
    make_engine: EngineMaker,
    volume: NDArray[np.float32],
    device: DeviceChoice,
    settings: Settings,
    *,
    instead: EngineMaker | None = None,
    on_step: OnStep | None = None,
    on_notice: OnNotice | None = None,
) -> Ran:
    """Return the logits of a volume and the engine that made them in the end.

    When memory runs out it is tried again with smaller batches, then smaller windows, then
    on the CPU; when a device fails, on the CPU; when an engine refuses, with another; when a
    number format is too small for a network's values, in float32. ``on_notice`` hears of
    each step.

    Parameters
    ----------
    make_engine : callable
        Gives an engine for a `DeviceChoice`.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        Prepared by the network's recipe.
    device : DeviceChoice
        Where to begin.
    settings : Settings
        How to cut the volume.
    instead : callable, optional
        Gives the engine to go on with where the first refuses with an `EngineError`.
    on_step : callable, optional
        Called with (done, total) windows: first (0, total), then after each batch. An
        exception that it raises, such as `Cancelled`, ends the work at once.
    on_notice : callable, optional
        Called with a line for people.

    Returns
    -------
    Ran

    Raises
    ------
    CheckpointError
        If the logits are no numbers even in float32.
    DeviceError
        If memory does not even suffice for one small window on the CPU.
    EngineError
        If the engine refuses and there is none to go on with.
    """
    say = on_notice or _ignore
    attempt: _Attempt | None = None
    while True:
        try:
            if attempt is None:
                attempt = _first_attempt(make_engine(device), volume, settings)
            logits = _logits(attempt, volume, device, settings, on_step)
            return Ran(logits, attempt.engine, attempt.memory_bytes)
        except Exception as error:
            trouble = _trouble(error, device)
            if trouble is None or (trouble.of == "engine" and instead is None):
                _release(attempt)
                raise
        # Outside the handler nothing holds the failed pass's tensors any more.
        _release(attempt)
        if trouble.of == "engine" and instead is not None:
            say(f"{trouble.words}; going on with PyTorch")
            make_engine, instead, attempt = instead, None, None
        elif trouble.of == "numbers":
            say(f"{trouble.words} on {device.title}; trying again in float32")
            device, attempt = replace(device, precision="float32"), None
        else:
            device, attempt = _step_down(trouble, device, attempt, settings, say)


class _Trouble(NamedTuple):
    """What went wrong, for people, and what of."""

    of: Literal["engine", "numbers", "memory", "device"]
    words: str


class _NoNumbers(Exception):
    """A number format was too small for what the network computes."""


def _logits(
    attempt: _Attempt,
    volume: NDArray[np.float32],
    device: DeviceChoice,
    settings: Settings,
    on_step: OnStep | None,
) -> NDArray[np.float32]:
    logits = blend(
        attempt.engine, attempt.plan, attempt.batch, volume, settings.background, on_step
    )
    if np.isfinite(logits.min()) and np.isfinite(logits.max()):
        return logits
    if device.precision != "float32":
        raise _NoNumbers
    raise CheckpointError(
        "the network gives values that are no numbers; look for such voxels (NaN, infinite) in "
        "the images, or choose another model"
    )


def _trouble(error: Exception, device: DeviceChoice) -> _Trouble | None:
    """Return what can be gone around; None where the error is of another kind."""
    if isinstance(error, EngineError):
        return _Trouble("engine", str(error))
    if isinstance(error, _NoNumbers):
        return _Trouble("numbers", "values that are no numbers")
    if is_out_of_memory(error):
        return _Trouble("memory", "out of memory")
    if device.kind == "cpu":
        return None
    # Some devices lack some layers, Apple's GPUs the 3D ones in older versions of torch.
    if isinstance(error, NotImplementedError):
        return _Trouble("device", "this network does not run")
    if is_device_failure(error):
        return _Trouble("device", f"failure ({str(error).strip().splitlines()[0][:120]})")
    return None


def _step_down(
    trouble: _Trouble,
    device: DeviceChoice,
    attempt: _Attempt | None,
    settings: Settings,
    say: OnNotice,
) -> tuple[DeviceChoice, _Attempt | None]:
    """Return the next smaller attempt, or the CPU with none yet."""
    smaller = None
    if attempt is not None and trouble.of == "memory":
        smaller = _smaller(attempt, settings)
    if smaller is None and device.kind == "cpu":
        raise DeviceError(_too_little(attempt))
    say(f"{trouble.words} on {device.title}; {_next_words(smaller)}")
    if smaller is None:
        # Who asked for float32 on a GPU wants it on the CPU too.
        exact = device.precision == "float32"
        device = resolve_device("cpu", "float32" if exact else "auto")
    return device, smaller


def _first_attempt(engine: Engine, volume: NDArray[np.float32], settings: Settings) -> _Attempt:
    attempt = _roomiest(engine, volume, settings)
    if attempt.plan.window != settings.plan(attempt.plan.shape, settings.window).window:
        # What the engine keeps of other sizes may be what takes the room.
        engine.release()
        attempt = _roomiest(engine, volume, settings)
    return attempt


def _roomiest(engine: Engine, volume: NDArray[np.float32], settings: Settings) -> _Attempt:
    channels, x, y, z = volume.shape
    sides = (None, *WINDOW_SIDES) if settings.window is None else (settings.window,)
    plans = [settings.plan((x, y, z), side) for side in sides]
    each = engine.bytes_per_voxel(channels, plans[0].window)
    fitting = _SHARE_OF_MEMORY * free_bytes(engine.device) / each
    for plan in plans:
        if voxels(plan.window) <= fitting:
            break
    wanted = _BATCH_VOXELS[engine.device.kind] // voxels(plan.window)
    batch = max(1, min(wanted, int(fitting / voxels(plan.window)), len(plan)))
    return _Attempt(engine, plan, batch, each)


def _smaller(attempt: _Attempt, settings: Settings) -> _Attempt | None:
    if attempt.batch > 1:
        return replace(attempt, batch=attempt.batch // 2)
    longest = max(attempt.plan.window)
    for side in WINDOW_SIDES:
        if round_up(side, settings.multiple) < longest:
            return replace(attempt, plan=settings.plan(attempt.plan.shape, side), batch=1)
    return None


def _release(attempt: _Attempt | None) -> None:
    if attempt is not None:
        with suppress(RuntimeError):  # of a device that failed
            attempt.engine.release()


def _next_words(smaller: _Attempt | None) -> str:
    if smaller is None:
        return "going on on the CPU"
    side = "x".join(str(size) for size in smaller.plan.window)
    return f"trying again with {smaller.batch} window(s) of {side} voxels at a time"


def _too_little(attempt: _Attempt | None) -> str:
    found = "the network's weights"
    if attempt is not None:
        found = f"one window of {'x'.join(str(size) for size in attempt.plan.window)} voxels"
    return (
        f"the computer's memory does not suffice for {found}; close other programs or choose "
        "a smaller model"
    )


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
