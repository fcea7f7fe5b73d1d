"""Blending: windows through an engine in batches, their logits added up with weights."""

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_brats.inference.engines import Engine
from napari_brats.inference.windows import Window, WindowPlan

OnStep = Callable[[int, int], object]


def blend(
    engine: Engine,
    plan: WindowPlan,
    batch: int,
    volume: NDArray[np.float32],
    background: float,
    on_step: OnStep | None,
) -> NDArray[np.float32]:
    """Run an engine over all windows of a plan and blend the logits.

    Parameters
    ----------
    engine : Engine
        Runs the network.
    plan : WindowPlan
        How the volume is cut.
    batch : int
        Windows at a time.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        Prepared by the network's recipe.
    background : float
        Value for padding.
    on_step : callable or None
        Called with (done, total) windows; what it raises ends the work.

    Returns
    -------
    NDArray[np.float32], shape (K, X, Y, Z)
    """
    image = _pad(torch.from_numpy(np.ascontiguousarray(volume)), plan, background)
    with _Blender(engine, plan) as blender:
        _feed(blender, image, plan, batch, on_step)
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


def _constant(piece: Tensor) -> tuple[float, ...]:
    """Return each channel's value, or () if a channel is not constant."""
    corner = piece[:, :1, :1, :1]
    return tuple(corner.flatten().tolist()) if bool((piece == corner).all()) else ()
