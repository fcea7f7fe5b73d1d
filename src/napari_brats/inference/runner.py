"""Running an engine over a volume: batches, blending, cancelling, and too little memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_brats.errors import DeviceError, EngineError
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.inference.engines import Engine
from napari_brats.inference.memory import free_bytes, is_out_of_memory, voxels
from napari_brats.inference.windows import (
    DEFAULT_OVERLAP,
    Shape,
    Window,
    WindowPlan,
    plan_windows,
    round_up,
)

OnStep = Callable[[int, int], object]
OnNotice = Callable[[str], object]
EngineMaker = Callable[[DeviceChoice], Engine]

WINDOW_SIDES = (192, 160, 128, 96, 64, 32)
_SHARE_OF_MEMORY = 0.6
# A batch of about this many voxels fills the device; on a CPU it is four slices of 240 x 240,
# which keeps progress and cancelling brisk.
_BATCH_VOXELS = {"cpu": 2**18, "mps": 2**20, "cuda": 2**22}


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


@dataclass(frozen=True)
class _Attempt:
    engine: Engine
    plan: WindowPlan
    batch: int


def run_network(
    make_engine: EngineMaker,
    volume: NDArray[np.float32],
    device: DeviceChoice,
    settings: Settings,
    *,
    instead: EngineMaker | None = None,
    on_step: OnStep | None = None,
    on_notice: OnNotice | None = None,
) -> tuple[NDArray[np.float32], Engine]:
    """Return the logits of a volume and the engine that made them in the end.

    When memory runs out it is tried again with smaller batches, then smaller windows, then
    on the CPU; when an engine refuses, with another. ``on_notice`` hears of each step.

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
    NDArray[np.float32], shape (K, X, Y, Z)
    Engine

    Raises
    ------
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
            return _blend(attempt, volume, settings.background, on_step), attempt.engine
        except EngineError as error:
            if instead is None:
                raise
            say(f"{error}; going on with PyTorch")
            make_engine, instead, attempt = instead, None, None
            continue
        except Exception as error:
            if attempt is not None:
                attempt.engine.release()
            # Some devices lack some layers, Apple's GPUs the 3D ones in older versions of torch.
            lacks = isinstance(error, NotImplementedError) and device.kind != "cpu"
            if not lacks and not is_out_of_memory(error):
                raise
        # Outside the handler nothing holds the failed pass's tensors any more.
        smaller = None if attempt is None or lacks else _smaller(attempt, settings)
        if smaller is None and device.kind == "cpu":
            raise DeviceError(_too_little(attempt))
        trouble = "this network does not run" if lacks else "out of memory"
        say(f"{trouble} on {device.title}; {_next_words(smaller)}")
        if smaller is None:
            # Who asked for float32 on a GPU wants it on the CPU too.
            exact = device.precision == "float32"
            device = resolve_device("cpu", "float32" if exact else "auto")
        attempt = smaller


def _first_attempt(engine: Engine, volume: NDArray[np.float32], settings: Settings) -> _Attempt:
    x, y, z = volume.shape[1:]
    budget = _SHARE_OF_MEMORY * free_bytes(engine.device)
    fitting = budget / engine.bytes_per_voxel(volume.shape[0])
    sides = (None, *WINDOW_SIDES) if settings.window is None else (settings.window,)
    plans = (settings.plan((x, y, z), side) for side in sides)
    for plan in plans:
        if voxels(plan.window) <= fitting:
            break
    wanted = _BATCH_VOXELS[engine.device.kind] // voxels(plan.window)
    batch = max(1, min(wanted, int(fitting / voxels(plan.window)), len(plan)))
    return _Attempt(engine, plan, batch)


def _smaller(attempt: _Attempt, settings: Settings) -> _Attempt | None:
    if attempt.batch > 1:
        return _Attempt(attempt.engine, attempt.plan, attempt.batch // 2)
    longest = max(attempt.plan.window)
    for side in WINDOW_SIDES:
        if round_up(side, settings.multiple) < longest:
            return _Attempt(attempt.engine, settings.plan(attempt.plan.shape, side), 1)
    return None


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


def _blend(
    attempt: _Attempt, volume: NDArray[np.float32], background: float, on_step: OnStep | None
) -> NDArray[np.float32]:
    plan = attempt.plan
    image = _pad(torch.from_numpy(np.ascontiguousarray(volume)), plan, background)
    with _Blender(attempt.engine, plan) as blender:
        _feed(blender, image, plan, attempt.batch, on_step)
        x, y, z = plan.shape
        logits = blender.result()[:, :x, :y, :z]
        result: NDArray[np.float32] = logits.cpu().contiguous().numpy()
        return result


def _feed(
    blender: "_Blender", image: Tensor, plan: WindowPlan, size: int, on_step: OnStep | None
) -> None:
    waiting: list[tuple[Window, Tensor]] = []
    done = 0
    if on_step is not None:
        on_step(0, len(plan))
    for number, window in enumerate(plan, start=1):
        piece = image[(slice(None), *window.region)]
        if not blender.add_known(window, piece):
            waiting.append((window, piece))
        if waiting and (len(waiting) == size or number == len(plan)):
            blender.add(waiting)
            waiting = []
        if on_step is not None and number - len(waiting) > done:
            done = number - len(waiting)
            on_step(done, len(plan))


def _pad(image: Tensor, plan: WindowPlan, value: float) -> Tensor:
    x, y, z = (new - old for new, old in zip(plan.padded, plan.shape, strict=True))
    if not (x or y or z):
        return image
    return torch.nn.functional.pad(image, (0, z, 0, y, 0, x), value=value)


class _Blender:
    """Adds windows' logits up, and runs the network only once on windows without content.

    A window is without content when each channel is one constant value, as outside the
    brain; equal windows have equal logits.
    """

    def __init__(self, engine: Engine, plan: WindowPlan) -> None:
        self._engine = engine
        self._plan = plan
        self._known: dict[tuple[float, ...], Tensor] = {}
        self._sum: Tensor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A traceback may outlive this block; the device's memory must not wait for it.
        self._known.clear()
        self._sum = None

    def add_known(self, window: Window, piece: Tensor) -> bool:
        """Add an empty window's logits if they are known; return whether they were."""
        logits = self._known.get(_constant(piece)) if self._known else None
        if logits is not None:
            self._accumulate(window, logits)
        return logits is not None

    def add(self, pieces: list[tuple[Window, Tensor]]) -> None:
        """Run the network on a batch of windows and add the logits."""
        batch = torch.stack([piece for _, piece in pieces])
        flat = self._plan.ndim == 2
        logits = self._engine(batch[..., 0] if flat else batch)
        for (window, piece), one in zip(pieces, logits[..., None] if flat else logits, strict=True):
            if len(self._plan) > 1 and (constant := _constant(piece)):
                self._known[constant] = one.clone()
            self._accumulate(window, one)

    def _accumulate(self, window: Window, logits: Tensor) -> None:
        if len(self._plan) == 1:
            self._sum = logits
            return
        if self._sum is None:
            self._sum = torch.zeros((len(logits), *self._plan.padded), device=logits.device)
        along_x, along_y, along_z = (
            torch.from_numpy(line).to(logits.device) for line in window.weights
        )
        weights = along_x[:, None, None] * along_y[:, None] * along_z
        self._sum[(slice(None), *window.region)].addcmul_(logits, weights)

    def result(self) -> Tensor:
        """Return the logits (K, X, Y, Z) of the padded volume."""
        if self._sum is None:
            raise ValueError("a volume without voxels has no logits")
        return self._sum


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""


def _constant(piece: Tensor) -> tuple[float, ...]:
    """Return each channel's value, or () if a channel is not constant."""
    corner = piece[:, :1, :1, :1]
    return tuple(corner.flatten().tolist()) if bool((piece == corner).all()) else ()
