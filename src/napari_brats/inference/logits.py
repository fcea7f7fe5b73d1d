"""One network over one prepared volume."""

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CheckpointError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import (
    REFERENCE_ENGINE,
    Engine,
    device_for,
    installed_engines,
    make_engine,
)
from napari_brats.inference.runner import OnNotice, Settings, run_network
from napari_brats.inference.steps import OnStep
from napari_brats.networks.registry import MODELS, ModelSpec

if TYPE_CHECKING:
    from torch import nn

_COMPILING = "openvino"


def predict_logits(
    network: "nn.Module",
    volume: NDArray[np.float32],
    *,
    engine: str = "auto",
    precision: str = "auto",
    device: str = "auto",
    overlap: float | None = None,
    window: int | None = None,
    background: float = 0.0,
    on_step: OnStep | None = None,
    on_notice: OnNotice | None = None,
) -> NDArray[np.float32]:
    """Run a network over a prepared volume of any size.

    Parameters
    ----------
    network : nn.Module
        One of ours, as `create_model` or `load_checkpoint` gives it; 2D or 3D. It is left as
        it is.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        As the network's recipe prepares it; one voxel at least.
    engine : str
        Key in `ENGINES`, or ``"auto"``: OpenVINO where it is installed and a CPU computes in
        bfloat16, else PyTorch. One that refuses gives way to PyTorch with a notice. What
        OpenVINO compiled for the last network is kept, and that network with it.
    precision, device : str
        As `device_for` takes them.
    overlap : float, optional
        Share of a window that neighbors have in common, where windows are needed.
    window : int, optional
        Longest side of a window; default: everything at once where memory allows.
    background : float
        Value outside the brain, for padding.
    on_step : callable, optional
        Called with (done, total) windows: first (0, total), then after each batch. It may
        raise `Cancelled`.
    on_notice : callable, optional
        Called with a line for people when an engine refuses, memory runs out or a number
        format is too small, and the plan changes.

    Returns
    -------
    NDArray[np.float32], shape (K, X, Y, Z)
        Logits.

    Raises
    ------
    ValueError
        If the volume does not have the shape that the network needs.
    CheckpointError
        If the network is none of ours, or gives values that are no numbers.
    DeviceError
        If the device or engine is not there, or memory does not suffice.
    """
    spec = spec_of(network)
    volume = _checked(volume, network)
    settings = settings_for(spec, window=window, overlap=overlap, background=background)
    wanted = device_for(device, precision, engine)
    name = _faster(wanted) if engine == "auto" else engine
    key = _Key.of(network, wanted) if name == _COMPILING else None

    def make(choice: DeviceChoice) -> Engine:
        kept = _kept.pop(key, None) if key is not None and choice == wanted else None
        if kept is None and key is not None:
            _kept.clear()  # the last network's memory, before this one takes its own
        return kept or make_engine(network, spec, choice, name)

    ran = run_network(
        make,
        volume,
        wanted,
        settings,
        instead=lambda choice: make_engine(network, spec, choice, REFERENCE_ENGINE),
        on_step=on_step,
        on_notice=on_notice,
    )
    if key is not None and (ran.engine.name, ran.engine.device) == (_COMPILING, wanted):
        _kept.clear()
        _kept[key] = ran.engine
    return ran.values


def _checked(volume: NDArray[np.float32], network: "nn.Module") -> NDArray[np.float32]:
    volume = np.asarray(volume, np.float32)
    channels = network.in_channels
    if volume.ndim != 4 or volume.shape[0] != channels or not volume.size:
        raise ValueError(
            f"volume must have the shape ({channels}, X, Y, Z) with voxels in it, got "
            f"{volume.shape}"
        )
    return volume


class _Key(NamedTuple):
    """What a compiled network depends on; the network is alive while its engine is kept."""

    network: int
    layers: str
    weights: int
    device: DeviceChoice

    @classmethod
    def of(cls, network: "nn.Module", device: DeviceChoice) -> "_Key":
        weights = 0
        for values in network.state_dict().values():
            flat = np.ascontiguousarray(values.detach().float().cpu().numpy()).reshape(-1)
            weights = crc32(flat.view(np.uint8).data, weights)
        return cls(id(network), repr(network), weights, device)


_kept: dict[_Key, Engine] = {}
"""One engine at most; who uses it takes it out, so that no two threads do."""


def _faster(device: DeviceChoice) -> str:
    """Return the engine that was the faster one for every network in docs/performance.md."""
    compiles = device.kind == "cpu" and device.precision == "bfloat16"
    return _COMPILING if compiles and _COMPILING in installed_engines("cpu") else REFERENCE_ENGINE


def settings_for(
    spec: ModelSpec,
    *,
    window: int | None = None,
    overlap: float | None = None,
    background: float = 0.0,
) -> Settings:
    """Return the settings that a network's row of `MODELS` and the caller's wishes make."""
    return Settings(spec.ndim, spec.multiple, window, overlap, background)


def spec_of(network: "nn.Module") -> ModelSpec:
    """Return a network's row of `MODELS`, known by its class.

    Raises
    ------
    CheckpointError
        If no row builds this class.
    """
    kind = type(network)
    factory = f"{kind.__module__.rpartition('.')[2]}:{kind.__qualname__}"
    for spec in MODELS.values():
        if spec.factory == factory:
            return spec
    raise CheckpointError(
        f"{kind.__qualname__!r} is none of the networks {', '.join(MODELS)}; "
        "make one with create_model or add a row to MODELS"
    )
