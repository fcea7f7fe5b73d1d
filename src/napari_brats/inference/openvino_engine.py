"""OpenVINO on CPUs: batch norm folded, layers fused, compiled for each size of input.

Converting a network takes seconds, so the converted network is kept on disk under a
fingerprint of its layers, its weights, our code of them and the versions involved. What is
found damaged there is made anew, and what was not used for longest goes once two gigabytes are
kept. OpenVINO's telemetry is never asked for: its converter is called below the function that
would send a report.
"""

import copy
import hashlib
import json
import linecache
import os
import shutil
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from napari_brats.errors import EngineError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.memory import bytes_per_voxel, is_out_of_memory
from napari_brats.inference.places import cache_folder, make_room, touch
from napari_brats.networks.isensee2017 import InstanceNorm

if TYPE_CHECKING:
    from torch import nn

    from napari_brats.networks.registry import ModelSpec

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_TRACED_SIDES = {2: 64, 3: 32}
_FILES = ("network.xml", "network.bin")
_SUMS = "crc32.json"
_KEPT_SIZES = 3
_KEPT_BYTES = 2 * 1024**3


class OpenVINOEngine:
    """A network compiled by OpenVINO, for every size of input when it first comes.

    The caller's network is read, never changed. Threads that share an engine take turns.

    Raises
    ------
    EngineError
        If OpenVINO does not load.
    """

    name = "openvino"

    def __init__(self, network: "nn.Module", spec: "ModelSpec", device: DeviceChoice) -> None:
        try:
            import openvino

            self._core = openvino.Core()
        except (ImportError, OSError, AttributeError, RuntimeError) as error:
            raise EngineError(
                f"OpenVINO does not load ({_reason(error)}); pip install --force-reinstall openvino"
            ) from error
        self.device = device
        self._network = network
        self._spec = spec
        self._turn = Lock()
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._bytes_per_voxel: dict[int, float] = {}

    def put(self, volume: Tensor) -> Tensor:
        """Return the volume: it is where OpenVINO reads it."""
        return volume

    def fetch(self, logits: Tensor) -> Tensor:
        """Return logits, contiguous."""
        return logits.contiguous()

    def __call__(self, batch: Tensor) -> Tensor:
        """Return logits of a batch; a last, smaller batch is filled up, not compiled for anew.

        Raises
        ------
        EngineError
            If OpenVINO cannot convert, compile or run the network.
        """
        count, inner = batch.shape[0], tuple(batch.shape[1:])
        # A compiled network has one place for its input, which a second thread would overwrite.
        with self._turn, _refusals():
            sizes = [size for size in self._compiled if size[1:] == inner and size[0] >= count]
            size = min(sizes, default=(count, *inner))
            if size[0] > count:
                batch = torch.cat([batch, batch.new_zeros((size[0] - count, *inner))])
            result = self._for(size)(batch.contiguous().numpy(), share_inputs=True)
        logits = torch.from_numpy(result[0])[:count]
        if not torch.isfinite(logits).all():
            raise EngineError("OpenVINO gave values that are no numbers")
        return logits

    def _for(self, size: tuple[int, ...]) -> Any:
        if size not in self._compiled:
            while len(self._compiled) >= _KEPT_SIZES:
                self._compiled.pop(next(iter(self._compiled)))
            exact = self.device.precision == "float32"
            model = converted(self._network, traced_size(self._spec, size[2:]), exact)
            model.reshape(list(size))
            options = {
                "INFERENCE_PRECISION_HINT": _PRECISIONS[self.device.precision],
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            }
            self._compiled[size] = self._core.compile_model(model, "CPU", options)
        return self._compiled[size]

    def bytes_per_voxel(self, channels: int) -> float:
        """Return the peak memory of a pass in bytes per voxel of the input; tried out once."""
        if channels not in self._bytes_per_voxel:
            network = copy.deepcopy(self._network).to("cpu", torch.float32).eval()
            enabled = self.device.precision != "float32"
            with torch.autocast("cpu", getattr(torch, self.device.precision), enabled=enabled):
                found = bytes_per_voxel(network, channels, self._spec.ndim)
            self._bytes_per_voxel[channels] = found
        return self._bytes_per_voxel[channels]

    def release(self) -> None:
        """Forget what was compiled."""
        self._compiled.clear()


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what OpenVINO raises into an `EngineError`, but for lack of memory."""
    try:
        yield
    except Exception as error:
        # What its converter raises is no RuntimeError.
        theirs = isinstance(error, RuntimeError) or type(error).__module__.startswith("openvino")
        if not theirs or is_out_of_memory(error):
            raise
        raise EngineError(f"OpenVINO refuses this network ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """Return the last line of an error, which is where OpenVINO says what is wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]


def traced_size(spec: "ModelSpec", spatial: tuple[int, ...]) -> tuple[int, ...]:
    """Return the spatial size to trace a network at for inputs of another.

    A network that takes multiples of a number does the same at every size. One that takes any
    size pads by rules that a trace cannot hold, and is traced at the size itself.
    """
    if spec.multiple == 1:
        return spatial
    return (_TRACED_SIDES[spec.ndim],) * spec.ndim


def converted(network: "nn.Module", size: tuple[int, ...], exact: bool = True) -> Any:
    """Return a network as OpenVINO's model, from the disk where it lies there.

    Parameters
    ----------
    network : nn.Module
        With its weights.
    size : tuple of int
        Spatial size to trace it at.
    exact : bool
        For float32: sums over a whole brain are taken with care (`InstanceNorm.by_planes`).
    """
    folder = converted_folder() / fingerprint(network, size, exact)
    model = _read(folder)
    if model is None:
        model = _convert(network, size, exact)
        _keep(model, folder)
    return model


def converted_folder() -> Path:
    """Return where converted networks are kept."""
    return cache_folder() / "openvino"


def fingerprint(network: "nn.Module", size: tuple[int, ...], exact: bool = True) -> str:
    """Return what tells a network's layers, weights, code and versions from all others."""
    import openvino

    versions = (openvino.__version__, torch.__version__, version("napari-brats"), size, exact)
    digest = hashlib.sha256(f"{versions}{type(network).__qualname__}{network!r}".encode())
    for module in sorted({type(part).__module__ for part in network.modules()}):
        if module.startswith("napari_brats."):
            file = sys.modules[module].__file__ or ""
            digest.update("".join(linecache.getlines(file)).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value.detach().float().cpu().numpy()).tobytes())
    return digest.hexdigest()[:32]


def _convert(network: "nn.Module", size: tuple[int, ...], exact: bool) -> Any:
    """Trace a network and hand the trace to OpenVINO."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    still: Any = copy.deepcopy(network).to("cpu", torch.float32).eval()
    for part in still.modules():
        if isinstance(part, InstanceNorm):
            part.by_planes = exact
    example = torch.zeros((1, still.in_channels, *size))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch about tracing
        decoder = TorchScriptPythonDecoder(still, example_input=(example,))
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def _read(folder: Path) -> Any:
    """Return what `_keep` wrote, or None where it is not there or not whole."""
    import openvino

    try:
        if not folder.is_dir():
            return None
        sums = json.loads((folder / _SUMS).read_text())
        if sums != _checksums(folder):
            raise ValueError("damaged")
        touch(folder)
        return openvino.Core().read_model(folder / _FILES[0])
    except (OSError, ValueError, RuntimeError):
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _keep(model: Any, folder: Path) -> None:
    """Write a converted network in one piece; without room for it, the next time is slow too."""
    import openvino

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="part-") as name:
            partial = Path(name) / "whole"
            partial.mkdir()
            openvino.save_model(model, partial / _FILES[0], compress_to_fp16=False)
            (partial / _SUMS).write_text(json.dumps(_checksums(partial)))
            os.replace(partial, folder)  # fails where another process was faster: the same content
        make_room(folder.parent, _KEPT_BYTES)
    except (OSError, RuntimeError):
        return


def _checksums(folder: Path) -> dict[str, int]:
    return {name: zlib.crc32((folder / name).read_bytes()) for name in _FILES}
