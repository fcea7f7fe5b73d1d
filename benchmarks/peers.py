"""WAYS: how a network of ours is run over a prepared volume, by us and by others.

`compare_peers.py` runs them side by side; `serving.py` times one.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from hardware import NUMBERS, kind_of

from napari_brats.inference import predict_logits
from napari_brats.inference.devices import resolve_device
from napari_brats.inference.engines import make_engine
from napari_brats.inference.logits import settings_for
from napari_brats.inference.runner import run_network
from napari_brats.networks.registry import create_model

Forward = Callable[[np.ndarray], np.ndarray]
Prepare = Callable[[torch.nn.Module, Any, str], Forward]
WINDOW = 128
_BOTH = ("cpu", "cuda")


@dataclass(frozen=True)
class Way:
    """One way to run a network.

    Parameters
    ----------
    title : str
        For the table.
    prepare : callable
        Takes the network, its row of `MODELS` and a device's name, gives what runs it on
        (C, X, Y, Z) and returns logits in the computer's own memory.
    numbers : str
        Key in `NUMBERS`: what its convolutions compute in.
    package : str
        What must be installed.
    ndims : tuple of int
        Networks that it runs.
    kinds : tuple of str
        Devices that it runs on: keys in `HARDWARE`.
    """

    title: str
    prepare: Prepare
    numbers: str = "float32"
    package: str = "torch"
    ndims: tuple[int, ...] = (2, 3)
    kinds: tuple[str, ...] = _BOTH

    def runs(self, ndim: int, kind: str) -> bool:
        """Return whether it can run a network of so many axes on a kind of device here."""
        fits = ndim in self.ndims and kind in self.kinds
        return fits and find_spec(self.package) is not None


def _monai(numbers: str, *, whole: bool = False) -> Prepare:
    """MONAI's inferers as its documentation shows them: overlap 0.5, Gaussian weights.

    With ``whole`` the window is the whole volume.
    """

    def prepare(network: torch.nn.Module, spec: Any, device: str) -> Forward:
        from monai.inferers import SliceInferer, SlidingWindowInferer

        network.to(device)

        def forward(volume: np.ndarray) -> np.ndarray:
            if spec.ndim == 2:
                inferer: Any = SliceInferer(spatial_dim=2, roi_size=(240, 240), sw_batch_size=4)
            else:
                sides = padded_sides(volume, spec) if whole else (WINDOW,) * 3
                inferer = SlidingWindowInferer(sides, 4, overlap=0.5, mode="gaussian")
            with torch.inference_mode(), _autocast(device, numbers):
                logits = inferer(torch.from_numpy(volume)[None].to(device), network)
            return logits[0].float().cpu().numpy()

        return forward

    return prepare


def _nnunet(network: torch.nn.Module, spec: Any, device: str) -> Forward:
    """nnU-Net's predictor with our network in it: no mirroring, step of half a window."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(
        tile_step_size=0.5,
        use_gaussian=True,
        use_mirroring=False,
        perform_everything_on_device=False,
        device=torch.device(device),
        allow_tqdm=False,
    )
    predictor.network = network
    predictor.configuration_manager = SimpleNamespace(patch_size=[WINDOW] * 3)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=network.out_channels)
    return lambda volume: (
        predictor.predict_sliding_window_return_logits(torch.from_numpy(volume)).float().numpy()
    )


def _plain(numbers: str = "float32", *, compiled: bool = False) -> Prepare:
    """Send the whole volume, or four slices at a time, through the network; nothing else."""

    def prepare(network: torch.nn.Module, spec: Any, device: str) -> Forward:
        network.to(device)
        run: Any = torch.compile(network, dynamic=False) if compiled else network

        def forward(volume: np.ndarray) -> np.ndarray:
            shape = volume.shape[1:]
            sides = padded_sides(volume, spec)
            pads = [(0, new - old) for new, old in zip(sides, shape, strict=True)]
            batch = torch.from_numpy(np.pad(volume, [(0, 0), *pads])).to(device)
            with torch.inference_mode(), _autocast(device, numbers):
                if spec.ndim == 2:
                    slices = batch.permute(3, 0, 1, 2)
                    logits = torch.cat([run(part) for part in slices.split(4)]).permute(1, 2, 3, 0)
                else:
                    logits = run(batch[None])[0]
            return logits[:, : shape[0], : shape[1], : shape[2]].float().cpu().numpy()

        return forward

    return prepare


def _ours(engine: str, precision: str) -> Prepare:
    """Our public call."""
    return lambda network, spec, device: (
        lambda volume: predict_logits(
            network, volume, engine=engine, precision=precision, device=device
        )
    )


def _kept(precision: str, *, tuned: bool = False, **options: Any) -> Prepare:
    """Ours with the engine kept from the first run on, as a loaded model keeps it.

    With ``tuned`` cuDNN tries its algorithms out on each new size; ``options`` are those of
    `settings_for`.
    """

    def prepare(network: torch.nn.Module, spec: Any, device: str) -> Forward:
        torch.backends.cudnn.benchmark = tuned
        choice, settings = resolve_device(device, precision), settings_for(spec, **options)
        engine_on = cache(lambda where: make_engine(network, spec, where, "torch"))

        def forward(volume: np.ndarray) -> np.ndarray:
            notices: list[str] = []
            ran = run_network(engine_on, volume, choice, settings, on_notice=notices.append)
            if notices:
                raise RuntimeError("; ".join(notices))  # its time would be another way's
            return ran.values

        return forward

    return prepare


_CPU, _CUDA = ("cpu",), ("cuda",)
WAYS: Mapping[str, Way] = {
    "monai-f32": Way("MONAI sliding window, float32", _monai("float32"), package="monai"),
    "monai-tf32": Way(
        "MONAI sliding window, TF32 (PyTorch's default)",
        _monai("tfloat32"),
        "tfloat32",
        "monai",
        kinds=_CUDA,
    ),
    "monai-bf16": Way(
        "MONAI sliding window, bfloat16 autocast", _monai("bfloat16"), "bfloat16", "monai"
    ),
    "monai-f16": Way(
        "MONAI sliding window, float16 autocast",
        _monai("float16"),
        "float16",
        "monai",
        kinds=_CUDA,
    ),
    "monai-whole": Way(
        "MONAI, one window as large as the volume, bfloat16 autocast",
        _monai("bfloat16", whole=True),
        "bfloat16",
        "monai",
        ndims=(3,),
        kinds=_CUDA,
    ),
    "nnunet": Way(
        "nnU-Net's predictor, float32", _nnunet, package="nnunetv2", ndims=(3,), kinds=_CPU
    ),
    "plain-f32": Way("plain PyTorch, float32", _plain()),
    "plain-bf16": Way(
        "plain PyTorch, bfloat16 autocast", _plain("bfloat16"), "bfloat16", kinds=_CUDA
    ),
    "compiled": Way(
        "plain PyTorch, bfloat16 autocast, torch.compile",
        _plain("bfloat16", compiled=True),
        "bfloat16",
        "triton",
        kinds=_CUDA,
    ),
    "torch-f32": Way("ours, PyTorch, float32", _ours("torch", "float32"), kinds=_CPU),
    "torch-bf16": Way("ours, PyTorch, bfloat16", _ours("torch", "bfloat16"), "bfloat16"),
    "kept-f32": Way("ours, engine kept, float32", _kept("float32"), kinds=_CUDA),
    "kept-bf16": Way("ours, engine kept, bfloat16", _kept("bfloat16"), "bfloat16", kinds=_CUDA),
    "kept-f16": Way("ours, engine kept, float16", _kept("float16"), "float16", kinds=_CUDA),
    "kept-128": Way(
        "ours, engine kept, bfloat16, MONAI's windows",
        _kept("bfloat16", window=WINDOW, overlap=0.5),
        "bfloat16",
        ndims=(3,),
        kinds=_CUDA,
    ),
    "kept-tuned": Way(
        "ours, engine kept, bfloat16, cuDNN tuned to the size",
        _kept("bfloat16", tuned=True),
        "bfloat16",
        kinds=_CUDA,
    ),
    "openvino-f32": Way(
        "ours, OpenVINO, float32", _ours("openvino", "float32"), package="openvino", kinds=_CPU
    ),
    "openvino-bf16": Way(
        "ours, OpenVINO, bfloat16",
        _ours("openvino", "bfloat16"),
        "bfloat16",
        "openvino",
        kinds=_CPU,
    ),
}


def seeded(model: str, size: str) -> torch.nn.Module:
    """Return a network with random weights, the same ones every time, in evaluation mode."""
    torch.manual_seed(0)
    return create_model(model, size).eval()


def _autocast(device: str, numbers: str) -> Any:
    dtype = NUMBERS[numbers]
    return nullcontext() if dtype is torch.float32 else torch.autocast(kind_of(device), dtype)


def padded_sides(volume: np.ndarray, spec: Any) -> tuple[int, ...]:
    """Return the sides of a volume padded to what the network takes; slices stay."""
    steps = (spec.multiple, spec.multiple, 1 if spec.ndim == 2 else spec.multiple)
    return tuple(-(-n // step) * step for n, step in zip(volume.shape[1:], steps, strict=True))
