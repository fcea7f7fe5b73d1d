"""WAYS: how a network of ours is run over a prepared volume, by us and by others.

`compare_peers.py` runs them side by side; each way lives in a process of its own.
"""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from napari_brats.inference import predict_logits
from napari_brats.networks.registry import create_model, model_spec

Forward = Callable[[np.ndarray], np.ndarray]
WINDOW = 128


@dataclass(frozen=True)
class Way:
    """One way to run a network.

    Parameters
    ----------
    title : str
        For the table.
    prepare : callable
        Takes the network and its row of `MODELS`, gives what runs it on (C, X, Y, Z).
    package : str
        What must be installed.
    ndims : tuple of int
        Networks that it runs.
    """

    title: str
    prepare: Callable[[torch.nn.Module, Any], Forward]
    package: str = "torch"
    ndims: tuple[int, ...] = (2, 3)

    def runs(self, ndim: int) -> bool:
        """Return whether it can run a network of so many axes here."""
        return ndim in self.ndims and find_spec(self.package) is not None


def _monai(precision: str) -> Callable[[torch.nn.Module, Any], Forward]:
    """MONAI's inferers as its documentation shows them: overlap 0.5, Gaussian weights."""

    def prepare(network: torch.nn.Module, spec: Any) -> Forward:
        from monai.inferers import SliceInferer, SlidingWindowInferer

        if spec.ndim == 2:
            inferer: Any = SliceInferer(spatial_dim=2, roi_size=(240, 240), sw_batch_size=4)
        else:
            inferer = SlidingWindowInferer((WINDOW,) * 3, 4, overlap=0.5, mode="gaussian")

        def forward(volume: np.ndarray) -> np.ndarray:
            with torch.inference_mode(), _autocast(precision):
                logits = inferer(torch.from_numpy(volume)[None], network)
            return logits[0].float().numpy()

        return forward

    return prepare


def _nnunet(network: torch.nn.Module, spec: Any) -> Forward:
    """nnU-Net's predictor with our network in it: no mirroring, step of half a window."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(
        tile_step_size=0.5,
        use_gaussian=True,
        use_mirroring=False,
        perform_everything_on_device=False,
        device=torch.device("cpu"),
        allow_tqdm=False,
    )
    predictor.network = network
    predictor.configuration_manager = SimpleNamespace(patch_size=[WINDOW] * 3)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=network.out_channels)
    return lambda volume: (
        predictor.predict_sliding_window_return_logits(torch.from_numpy(volume)).float().numpy()
    )


def _plain(network: torch.nn.Module, spec: Any) -> Forward:
    """Send the whole volume, or four slices at a time, through the network; nothing else."""

    def forward(volume: np.ndarray) -> np.ndarray:
        padded, shape = _pad(volume, spec.multiple, spec.ndim)
        batch = torch.from_numpy(padded)
        with torch.inference_mode():
            if spec.ndim == 2:
                slices = batch.permute(3, 0, 1, 2)
                logits = torch.cat([network(part) for part in slices.split(4)]).permute(1, 2, 3, 0)
            else:
                logits = network(batch[None])[0]
        return logits[:, : shape[0], : shape[1], : shape[2]].numpy()

    return forward


def _ours(engine: str, precision: str) -> Callable[[torch.nn.Module, Any], Forward]:
    """Our public call."""
    return lambda network, spec: (
        lambda volume: predict_logits(
            network, volume, engine=engine, precision=precision, device="cpu"
        )
    )


WAYS: Mapping[str, Way] = {
    "monai-f32": Way("MONAI sliding window, float32", _monai("float32"), "monai"),
    "monai-bf16": Way("MONAI sliding window, bfloat16 autocast", _monai("bfloat16"), "monai"),
    "nnunet": Way("nnU-Net's predictor, float32", _nnunet, "nnunetv2", (3,)),
    "plain-f32": Way("plain PyTorch, float32", _plain),
    "torch-f32": Way("ours, PyTorch, float32", _ours("torch", "float32")),
    "torch-bf16": Way("ours, PyTorch, bfloat16", _ours("torch", "bfloat16")),
    "openvino-f32": Way("ours, OpenVINO, float32", _ours("openvino", "float32"), "openvino"),
    "openvino-bf16": Way("ours, OpenVINO, bfloat16", _ours("openvino", "bfloat16"), "openvino"),
}


def serve(pipe: Connection, way: str, model: str, size: str, volume: np.ndarray) -> None:
    """Run a network whenever asked; answer (seconds, labels, peak bytes of this process).

    Parameters
    ----------
    pipe : Connection
        Anything received is one run; None ends the process.
    way, model, size : str
        Keys in `WAYS`, `MODELS` and its sizes. Weights are random, with one seed.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        Prepared.
    """
    spec = model_spec(model)
    network = seeded(model, size)
    volume = np.ascontiguousarray(volume[: network.in_channels])
    forward = WAYS[way].prepare(network, spec)
    while pipe.recv() is not None:
        start = time.perf_counter()
        logits = forward(volume)
        seconds = time.perf_counter() - start
        labels = logits.argmax(0).astype(np.uint8)
        pipe.send((seconds, labels, _peak_bytes()))


def seeded(model: str, size: str) -> torch.nn.Module:
    """Return a network with random weights, the same ones every time, in evaluation mode."""
    torch.manual_seed(0)
    return create_model(model, size).eval()


def _autocast(precision: str) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")


def _pad(volume: np.ndarray, multiple: int, ndim: int) -> tuple[np.ndarray, tuple[int, ...]]:
    shape = volume.shape[1:]
    through = (1,) if ndim == 2 else (multiple,)
    grid = (multiple, multiple, *through)
    pads = [(0, -size % step) for size, step in zip(shape, grid, strict=True)]
    return np.pad(volume, [(0, 0), *pads]), shape


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
