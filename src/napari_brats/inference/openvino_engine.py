"""OpenVINO on CPUs: batch norm folded, layers fused, compiled once for 3D volumes of any size."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_brats.errors import EngineError
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.memory import is_out_of_memory, peak_bytes_per_voxel
from napari_brats.inference.openvino_models import converted, largest_layer, traced_size

if TYPE_CHECKING:
    from torch import nn

    from napari_brats.networks.registry import ModelSpec

_PRECISIONS = {"float32": ("f32", 4), "bfloat16": ("bf16", 2), "float16": ("f16", 2)}
_KEPT_SIZES = 3


class OpenVINOEngine:
    """A network compiled by OpenVINO.

    A 3D network is compiled for volumes of any size: each patient's brain has another one, of
    which only the kernels are made when it first comes. A 2D network is compiled for each size
    of slice, since with open sizes every single slice would take longer, and so is a network
    that must be traced at the very size.

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
        self._models: dict[tuple[int, ...], Any] = {}
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
            size = (count, *inner)
            if not self._any_size:
                sizes = [one for one in self._compiled if one[1:] == inner and one[0] >= count]
                size = min(sizes, default=size)
            if size[0] > count:
                batch = torch.cat([batch, batch.new_zeros((size[0] - count, *inner))])
            result = self._for(size)(batch.contiguous().numpy(), share_inputs=True)
        logits = torch.from_numpy(result[0])[:count]
        if not torch.isfinite(logits).all():
            raise EngineError("OpenVINO gave values that are no numbers")
        return logits

    @property
    def _any_size(self) -> bool:
        return self._spec.ndim == 3 and self._spec.multiple > 1

    def _for(self, size: tuple[int, ...]) -> Any:
        """Return the network compiled for a size (N, C, X, Y[, Z]), or for any."""
        multiple = self._spec.multiple
        if any(side % multiple for side in size[2:]):
            # Compiled for any size it would not notice, and give something.
            raise EngineError(f"OpenVINO got {size[2:]} voxels, not multiples of {multiple}")
        key = (-1, size[1], -1, -1, -1) if self._any_size else size
        if key not in self._compiled:
            while len(self._compiled) >= _KEPT_SIZES:
                self._compiled.pop(next(iter(self._compiled)))
            model = self._model(size[2:])
            model.reshape(list(key))
            options = {
                "INFERENCE_PRECISION_HINT": _PRECISIONS[self.device.precision][0],
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            }
            self._compiled[key] = self._core.compile_model(model, "CPU", options)
        return self._compiled[key]

    def _model(self, spatial: tuple[int, ...]) -> Any:
        """Return the converted network for a spatial size, to be reshaped before it is used."""
        traced = traced_size(self._spec, spatial)
        if traced not in self._models:
            exact = self.device.precision == "float32"
            self._models[traced] = converted(self._network, traced, exact)
        return self._models[traced]

    def bytes_per_voxel(self, channels: int, window: tuple[int, ...], /) -> float:
        """Return the peak memory of a pass in bytes per voxel, from the layers' sizes."""
        if channels not in self._bytes_per_voxel:
            spatial = window[: self._spec.ndim]
            with self._turn, _refusals():
                model = self._model(spatial)
                model.reshape([1, channels, *spatial])
                values = largest_layer(model)
            number = _PRECISIONS[self.device.precision][1]
            self._bytes_per_voxel[channels] = peak_bytes_per_voxel(values * number, spatial)
        return self._bytes_per_voxel[channels]

    def release(self) -> None:
        """Forget what was compiled, and the network that it was compiled from."""
        self._compiled.clear()
        self._models.clear()


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
