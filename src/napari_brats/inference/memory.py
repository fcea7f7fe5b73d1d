"""How much memory there is, how much a network takes, and telling what a device died of."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.inference.devices import DeviceChoice

if TYPE_CHECKING:
    import torch
    from torch import nn

# Measured on the five networks at paper size: the peak of a pass without gradients is 1.5 to
# 2.3 times what the layer with the largest input and output holds.
_PEAK_PER_LAYER = 2.5
_PROBE_SIDES = {2: 48, 3: 32}
# The last is cuDNN's and cuBLAS's, e.g. CUBLAS_STATUS_ALLOC_FAILED.
_OUT_OF_MEMORY = (
    "not enough memory",
    "out of memory",
    "can't allocate memory",
    "bad_alloc",
    "status_alloc_failed",
)
_DEVICE_FAILURES = ("cuda error", "cudnn error", "cudnn_status", "cublas_status")


def free_bytes(device: DeviceChoice) -> int:
    """Return the memory in bytes that a new allocation on the device may hope for."""
    if device.kind == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device.index)
        # What torch holds from earlier passes counts as used there, but the next can have it.
        kept = torch.cuda.memory_reserved(device.index) - torch.cuda.memory_allocated(device.index)
        return int(free + kept)
    import psutil  # type: ignore[import-untyped]  # ships no types

    return int(min(psutil.virtual_memory().available, group_headroom()))


def group_headroom(root: Path = Path("/")) -> float:
    """Return the bytes left to this process's Linux control groups; infinite without a limit.

    Containers and batch systems set such limits, and kill what exceeds them without a word.
    """
    top = root / "sys/fs/cgroup"
    try:
        leaf = top / (root / "proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
    except OSError:
        return math.inf
    folders = [folder for folder in (leaf, *leaf.parents) if folder.is_relative_to(top)]
    return min((_headroom(folder) for folder in folders), default=math.inf)


def _headroom(folder: Path) -> float:
    try:
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        stat = (folder / "memory.stat").read_text().split()
    except (OSError, ValueError):  # no such file, or "max": no limit here
        return math.inf
    # Cached file pages count as used but are given up on demand.
    cached = int(stat[stat.index("inactive_file") + 1]) if "inactive_file" in stat else 0
    return max(0, limit - used + cached)


def bytes_per_voxel(network: "nn.Module", channels: int, ndim: int) -> float:
    """Return the peak memory of a pass, in bytes per voxel of the input.

    A small input is sent through the network to see each layer's input and output.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode; any device. Call under the autocast that will be used.
    channels : int
        Of the input.
    ndim : int
        2 or 3 spatial axes.
    """
    import torch

    side = _PROBE_SIDES[ndim]
    largest = 0

    def look(_: "nn.Module", inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal largest
        tensors = [one for one in (*inputs, output) if isinstance(one, torch.Tensor)]
        largest = max(largest, sum(one.numel() * one.element_size() for one in tensors))

    layers = [layer for layer in network.modules() if not any(layer.children())]
    hooks = [layer.register_forward_hook(look) for layer in layers]
    try:
        with torch.inference_mode():
            network(probe(network, channels, side, ndim))
    finally:
        for hook in hooks:
            hook.remove()
    return peak_bytes_per_voxel(largest, (side,) * ndim)


def peak_bytes_per_voxel(layer_bytes: int, size: tuple[int, ...]) -> float:
    """Return the peak memory of a pass, in bytes per voxel of the input.

    Parameters
    ----------
    layer_bytes : int
        Of the input and output of the layer where they are largest.
    size : tuple of int
        Spatial size of the input that they were found with.
    """
    return _PEAK_PER_LAYER * layer_bytes / voxels(size)


def probe(network: "nn.Module", channels: int, side: int, ndim: int) -> "torch.Tensor":
    """Return zeros (1, C, side, ...) on the network's device."""
    import torch

    where = next((one.device for one in network.parameters()), torch.device("cpu"))
    return torch.zeros((1, channels, *(side,) * ndim), device=where)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory ran out, on any device."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in _OUT_OF_MEMORY
    )


def is_device_failure(error: BaseException) -> bool:
    """Return whether an exception says that a device failed or is gone, not what runs on it."""
    import torch

    # torch's own kind, and what comes from the libraries below it in words only.
    return isinstance(error, torch.AcceleratorError) or (
        isinstance(error, RuntimeError)
        and any(words in str(error).lower() for words in _DEVICE_FAILURES)
    )


def voxels(shape: tuple[int, ...]) -> int:
    """Return the number of voxels of a shape."""
    return int(np.prod(shape, dtype=np.int64))
