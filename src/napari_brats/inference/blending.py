"""Blending: windows through an engine in batches, their logits added up with weights."""

from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_brats.inference.engines import Engine
from napari_brats.inference.steps import OnStep
from napari_brats.inference.windows import Window, WindowPlan


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
    # torch warns of memory that must not be written to, though nothing here writes.
    whole = np.require(volume, requirements=["C", "W"])
    image = _pad(engine.put(torch.from_numpy(whole)), plan, background)
    with _Blender(engine, plan) as blender:
        _feed(blender, image, plan, batch, on_step)
        x, y, z = plan.shape
        result: NDArray[np.float32] = engine.fetch(blender.result()[:, :x, :y, :z]).numpy()
        return result


class _Piece(NamedTuple):
    """A window, its values (C, x, y, z), and each channel's value if it has no other."""

    window: Window
    values: Tensor
    constant: tuple[float, ...]


def _feed(
    blender: "_Blender", image: Tensor, plan: WindowPlan, size: int, on_step: OnStep | None
) -> None:
    waiting: list[_Piece] = []
    done = 0
    if on_step is not None:
        on_step(0, len(plan))
    for number, piece in enumerate(_pieces(image, plan), start=1):
        if not blender.add_known(piece):
            waiting.append(piece)
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
        self._lines: dict[bytes, Tensor] = {}
        self._sum: Tensor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A traceback may outlive this block; the device's memory must not wait for it.
        self._known.clear()
        self._lines.clear()
        self._sum = None

    def add_known(self, piece: _Piece) -> bool:
        """Add an empty window's logits if they are known; return whether they were."""
        logits = self._known.get(piece.constant)
        if logits is not None:
            self._accumulate(piece.window, logits)
        return logits is not None

    def add(self, pieces: list[_Piece]) -> None:
        """Run the network on a batch of windows and add the logits."""
        batch = torch.stack([piece.values for piece in pieces])
        flat = self._plan.ndim == 2
        logits = self._engine(batch[..., 0] if flat else batch)
        for piece, one in zip(pieces, logits[..., None] if flat else logits, strict=True):
            if piece.constant:
                self._known[piece.constant] = one.clone()
            self._accumulate(piece.window, one)

    def _accumulate(self, window: Window, logits: Tensor) -> None:
        if len(self._plan) == 1:
            self._sum = logits
            return
        if self._sum is None:
            self._sum = torch.zeros((len(logits), *self._plan.padded), device=logits.device)
        along_x, along_y, along_z = (self._line(line, logits.device) for line in window.weights)
        weights = along_x[:, None, None] * along_y[:, None] * along_z
        self._sum[(slice(None), *window.region)].addcmul_(logits, weights)

    def _line(self, weights: NDArray[np.float32], where: torch.device) -> Tensor:
        """Return weights on the device; each copy would make a GPU wait, and most are alike."""
        key = weights.tobytes()
        if key not in self._lines:
            self._lines[key] = torch.from_numpy(weights).to(where)
        return self._lines[key]

    def result(self) -> Tensor:
        """Return the logits (K, X, Y, Z) of the padded volume."""
        if self._sum is None:
            raise ValueError("a volume without voxels has no logits")
        return self._sum


def _pieces(image: Tensor, plan: WindowPlan) -> list[_Piece]:
    """Cut an image; its device is asked once for all windows which of them are constant."""
    cut = [(window, image[(slice(None), *window.region)]) for window in plan]
    if len(cut) == 1:
        return [_Piece(*cut[0], ())]
    corners = [values[:, :1, :1, :1] for _, values in cut]
    same = [(values == corner).all() for (_, values), corner in zip(cut, corners, strict=True)]
    constants = torch.stack(corners).flatten(1).tolist()
    return [
        _Piece(window, values, tuple(constant) if alike else ())
        for (window, values), constant, alike in zip(
            cut, constants, torch.stack(same).tolist(), strict=True
        )
    ]
