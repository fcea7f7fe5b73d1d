"""HARDWARE: the kinds of device that networks are timed on, and what each can do at best."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

NUMBERS: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "tfloat32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""Number types of matrix products; tfloat32 is float32 with ten bits of mantissa as factors."""


@dataclass(frozen=True)
class Hardware:
    """One kind of device.

    Parameters
    ----------
    begin : callable
        Takes the device's name and makes a process ready for it.
    finish : callable
        Takes the device's name and returns when all that was asked of the device is done; the
        clock is read after it.
    peak_bytes : callable
        Takes the device's name and gives the most memory this process has held there.
    title : callable
        Takes the device's name and gives a few words on it and its software.
    side : int
        Of the square matrices whose product is timed.
    copied : int
        Bytes of the block whose copy is timed.
    """

    begin: Callable[[str], None]
    finish: Callable[[str], None]
    peak_bytes: Callable[[str], int]
    title: Callable[[str], str]
    side: int
    copied: int


def matrix_tflops(numbers: str, device: str = "cpu", rounds: int = 8) -> float:
    """Return the best rate of a large matrix product, in 10^12 operations a second."""
    row = hardware(device)
    a, b = (torch.randn(row.side, row.side, device=device).to(NUMBERS[numbers]) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = numbers == "tfloat32"
    try:
        return 2 * row.side**3 / _least(lambda: a @ b, device, rounds) / 1e12
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def copy_terabytes(device: str, rounds: int = 8) -> float:
    """Return the best rate of a copy within the device, read and written, in 10^12 bytes/s."""
    row = hardware(device)
    source = torch.zeros(row.copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * row.copied / _least(lambda: target.copy_(source), device, rounds) / 1e12


def hardware(device: str) -> Hardware:
    """Return the row of a device such as ``"cpu"`` or ``"cuda:1"``."""
    return HARDWARE[kind_of(device)]


def kind_of(device: str) -> str:
    """Return the kind of a device: the key of its row."""
    return device.partition(":")[0]


def _least(work: Callable[[], object], device: str, rounds: int) -> float:
    """Return the shortest time of some rounds in seconds, after one that does not count."""
    finish, times = hardware(device).finish, []
    for _ in range(rounds + 1):
        finish(device)
        start = time.perf_counter()
        work()
        finish(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _resident_bytes(_: str) -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cuda_title(device: str) -> str:
    memory = torch.cuda.get_device_properties(device).total_memory / 2**30
    return (
        f"{torch.cuda.get_device_name(device)}, {memory:.0f} GiB, CUDA {torch.version.cuda}, "
        f"cuDNN {torch.backends.cudnn.version()}"
    )


def _nothing(_: str) -> None:
    """Do nothing: a CPU is ready at once, and done when a call returns."""


HARDWARE: Mapping[str, Hardware] = {
    "cpu": Hardware(
        begin=_nothing,
        finish=_nothing,
        peak_bytes=_resident_bytes,
        title=lambda _: f"{torch.get_num_threads()} threads",
        side=2048,
        copied=2**28,
    ),
    "cuda": Hardware(
        begin=lambda device: torch.cuda.set_device(device),
        finish=lambda device: torch.cuda.synchronize(device),
        peak_bytes=lambda device: torch.cuda.max_memory_allocated(device),
        title=_cuda_title,
        side=8192,
        copied=2**30,
    ),
}
