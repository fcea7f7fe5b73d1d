"""Networks as OpenVINO has them: converted once, kept on disk.

Converting a network takes a second or more, so the converted network is kept under a
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
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_brats.inference.places import cache_folder, make_room, touch
from napari_brats.networks.isensee2017 import InstanceNorm

if TYPE_CHECKING:
    from torch import nn

    from napari_brats.networks.registry import ModelSpec

_TRACED_SIDES = {2: 64, 3: 32}
_FILES = ("network.xml", "network.bin")
_SUMS = "crc32.json"
_KEPT_BYTES = 2 * 1024**3


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


def largest_layer(model: Any) -> int:
    """Return how many values the layer with the largest input and output holds.

    Parameters
    ----------
    model : openvino.Model
        Of known size, as after ``model.reshape``.
    """
    return max(map(_values, model.get_ops()), default=0)


def _values(layer: Any) -> int:
    """Return how many values go in and out of a layer, weights apart."""
    if layer.get_type_name() == "Constant":
        return 0
    sources = (place.get_source_output() for place in layer.inputs())
    inputs = [out for out in sources if out.get_node().get_type_name() != "Constant"]
    return sum(prod(place.get_shape()) for place in (*inputs, *layer.outputs()))


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
        # Tracing twice to compare would load a second of torch's modules; tests compare.
        unchecked = {"check_trace": False}
        decoder = TorchScriptPythonDecoder(still, example_input=(example,), trace_kwargs=unchecked)
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
