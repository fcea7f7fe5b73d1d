"""ENGINES: what runs a network. One class and one row each.

An engine is made once for a network and a device and then called with batches. The batch
and the logits are torch tensors, so that blending happens where the logits are; on the CPU
they share memory with NumPy arrays, for engines that want those.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from napari_brats.errors import DeviceError, EngineError
from napari_brats.inference.devices import DeviceChoice, Kind, resolve_device
from napari_brats.inference.folding import fold_batch_norm
from napari_brats.inference.memory import bytes_per_voxel
from napari_brats.inference.openvino_engine import OpenVINOEngine

if TYPE_CHECKING:
    from torch import nn

    from napari_brats.networks.registry import ModelSpec


class Engine(Protocol):
    """A network ready to run on one device.

    Attributes
    ----------
    name : str
        Key in `ENGINES`.
    device : DeviceChoice
        Where it runs.
    """

    name: str
    device: DeviceChoice

    def put(self, volume: Tensor) -> Tensor:
        """Return a volume (C, X, Y, Z) where batches are best cut from it."""
        ...

    def __call__(self, batch: Tensor) -> Tensor:
        """Return logits (N, K, X, Y[, Z]), float32, of a float32 batch (N, C, X, Y[, Z])."""
        ...

    def fetch(self, logits: Tensor) -> Tensor:
        """Return logits in the computer's own memory, contiguous."""
        ...

    def bytes_per_voxel(self, channels: int, window: tuple[int, ...], /) -> float:
        """Return the peak memory of a pass over a window (X, Y, Z) in bytes per voxel of it."""
        ...

    def release(self) -> None:
        """Give memory that is kept for the next pass back to the system."""
        ...


class TorchEngine:
    """PyTorch: inference mode, channels last, batch norm folded, mixed precision by autocast.

    The network is copied, its weights as float32; the caller's own is neither moved nor
    switched to evaluation. On CUDA the volume and the logits cross over once each, through
    page-locked memory, and float32 means float32: convolutions do without TF32.
    """

    name = "torch"

    def __init__(self, network: "nn.Module", spec: "ModelSpec", device: DeviceChoice) -> None:
        self.device = device
        self._on_cuda = device.kind == "cuda"
        self._before: torch.cuda.Event | None = None
        self._bytes_per_voxel: dict[int, float] = {}
        self._ndim = spec.ndim
        self._layout = torch.channels_last if spec.ndim == 2 else torch.channels_last_3d
        self._network = copy.deepcopy(network).float().eval()
        fold_batch_norm(self._network)
        self._network.to(device.torch_name)
        for weights in self._network.parameters():
            if weights.ndim == spec.ndim + 2:
                weights.data = weights.data.contiguous(memory_format=self._layout)

    def _autocast(self) -> torch.autocast:
        dtype = getattr(torch, self.device.precision)
        return torch.autocast(self.device.kind, dtype, enabled=dtype != torch.float32)

    def _exactly(self) -> AbstractContextManager[None]:
        exact = self._on_cuda and self.device.precision == "float32"
        return _without_tf32() if exact else nullcontext()

    def put(self, volume: Tensor) -> Tensor:
        """Return a volume on the engine's device."""
        if not self._on_cuda:
            return volume.to(self.device.torch_name)
        return volume.pin_memory().to(self.device.torch_name, non_blocking=True)

    def __call__(self, batch: Tensor) -> Tensor:
        """Return logits of a batch, on the engine's device; CUDA may still be at work on them."""
        with torch.inference_mode(), self._autocast(), self._exactly():
            there = batch.to(self.device.torch_name, memory_format=self._layout)
            logits: Tensor = self._network(there).float()
        if self._on_cuda:
            self._keep_pace()
        return logits

    def _keep_pace(self) -> None:
        """Wait for the batch before this one: progress stays true, and cancelling quick."""
        now = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch does not annotate it
        now.record(torch.cuda.current_stream(self.device.index))
        if self._before is not None:
            self._before.synchronize()
        self._before = now

    def fetch(self, logits: Tensor) -> Tensor:
        """Return logits in the computer's memory."""
        logits = logits.contiguous()
        return _page_locked(logits).copy_(logits) if self._on_cuda else logits.cpu()

    def bytes_per_voxel(self, channels: int, _: tuple[int, ...], /) -> float:
        """Return the peak memory of a pass in bytes per voxel; tried out once, on a small one."""
        if channels not in self._bytes_per_voxel:
            with self._autocast():
                found = bytes_per_voxel(self._network, channels, self._ndim)
            self._bytes_per_voxel[channels] = found
        return self._bytes_per_voxel[channels]

    def release(self) -> None:
        """Empty torch's cache of device memory."""
        if self.device.kind == "cuda":
            torch.cuda.empty_cache()
        elif self.device.kind == "mps":
            torch.mps.empty_cache()


def _page_locked(like: Tensor) -> Tensor:
    """Return memory of a tensor's shape that CUDA copies to directly."""
    return torch.empty(like.shape, dtype=like.dtype, pin_memory=True)


@contextmanager
def _without_tf32() -> Iterator[None]:
    """Switch TF32 off, in which CUDA's convolutions have ten bits of mantissa by default."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@dataclass(frozen=True)
class EngineRow:
    """One engine.

    Parameters
    ----------
    name : str
        Key in `ENGINES`.
    make : callable
        Makes it.
    kinds : tuple of str
        Kinds of device it runs on, the best first.
    package : str
        What must be installed.
    """

    name: str
    make: Callable[["nn.Module", "ModelSpec", DeviceChoice], Engine]
    kinds: tuple[Kind, ...]
    package: str = "torch"


ENGINES: Mapping[str, EngineRow] = {
    row.name: row
    for row in (
        EngineRow("torch", TorchEngine, ("cuda", "mps", "cpu")),
        EngineRow("openvino", OpenVINOEngine, ("cpu",), package="openvino"),
    )
}


REFERENCE_ENGINE = "torch"
"""What every other engine must agree with, and gives way to."""


def installed_engines(kind: Kind) -> list[str]:
    """Return the engines that run on a kind of device here, first of them the reference."""
    return [row.name for row in ENGINES.values() if kind in row.kinds and find_spec(row.package)]


def device_for(device: str, precision: str, engine: str) -> DeviceChoice:
    """Return the device that a request means, where it is ``"auto"`` one for the engine.

    Parameters
    ----------
    device, precision : str
        As `resolve_device` takes them.
    engine : str
        Key in `ENGINES`, or ``"auto"``.

    Raises
    ------
    DeviceError
        As `resolve_device`.
    """
    choice = resolve_device(device, precision)
    row = ENGINES.get(engine)
    if device == "auto" and row is not None and choice.kind not in row.kinds:
        return resolve_device(row.kinds[0], precision)
    return choice


def make_engine(
    network: "nn.Module", spec: "ModelSpec", device: DeviceChoice, engine: str = "auto"
) -> Engine:
    """Return a network ready to run.

    Parameters
    ----------
    network : nn.Module
        With its weights.
    spec : ModelSpec
        Its row of `MODELS`.
    device : DeviceChoice
        Where to run.
    engine : str
        Key in `ENGINES`, or ``"auto"``: the first row that runs on the device.

    Raises
    ------
    DeviceError
        If there is no such engine or it does not run on the device.
    EngineError
        If it is not installed.
    """
    fitting = [row for row in ENGINES.values() if device.kind in row.kinds]
    row = next((row for row in fitting if engine in ("auto", row.name)), None)
    if row is None:
        raise DeviceError(
            f"engine {engine!r} is unknown or does not run on {device.kind}; choose auto or one of "
            f"{', '.join(row.name for row in fitting)}"
        )
    if find_spec(row.package) is None:
        raise EngineError(
            f"engine {engine!r} needs the package {row.package!r}, which is not installed (pip "
            'install "napari-brats[all]")'
        )
    return row.make(network, spec, device)
