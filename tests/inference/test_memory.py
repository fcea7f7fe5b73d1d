"""Memory: what is free, what a network takes, and what counts as running out."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.memory import (
    bytes_per_voxel,
    free_bytes,
    group_headroom,
    is_device_failure,
    is_out_of_memory,
)

CPU = DeviceChoice("cpu", "float32", "CPU")


def test_some_memory_is_free() -> None:
    """A plausible number of bytes on the machine that runs this."""
    assert 2**20 < free_bytes(CPU) < 2**50


def test_free_memory_of_a_gpu_is_asked_of_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of CUDA's pair (free, total), and what torch keeps of earlier passes: 30 - 10."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (index + 7, 99))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda index: index * 30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda index: index * 10)
    assert free_bytes(DeviceChoice("cuda", "float32", "GPU", 1)) == 8 + 20


def write_group(folder: Path, limit: str, used: int, cached: int) -> None:
    """Write what Linux shows of a control group's memory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - cached}\ninactive_file {cached}\n")


def test_a_batch_jobs_limit_counts(tmp_path: Path) -> None:
    """The tightest of the groups above the process: 1000 - 700 + 50 of file cache."""
    assert group_headroom(tmp_path) == math.inf
    groups = tmp_path / "sys/fs/cgroup"
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/job/step\n")
    write_group(groups / "job/step", "max", 100, 0)
    assert group_headroom(tmp_path) == math.inf
    write_group(groups / "job", "1000", 700, 50)
    assert group_headroom(tmp_path) == 350


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_networks_memory_follows_its_largest_layer(ndim: int) -> None:
    """4 -> 8 channels of float32: 48 bytes a voxel in and out, times 2.5."""
    kind = nn.Conv2d if ndim == 2 else nn.Conv3d
    network = nn.Sequential(kind(4, 8, 1), nn.MaxPool2d(2) if ndim == 2 else nn.MaxPool3d(2)).eval()
    assert bytes_per_voxel(network, 4, ndim) == 2.5 * 4 * (4 + 8)
    assert not any(layer._forward_hooks for layer in network.modules())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            True,
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    """Every device says it in its own words."""
    assert is_out_of_memory(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("cuda error"), False),
    ],
)
def test_a_failing_device_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    """A bug in what runs on it keeps its traceback."""
    assert is_device_failure(error) is expected
