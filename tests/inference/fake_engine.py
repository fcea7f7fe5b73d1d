"""An engine whose answer is known, and whose memory is as small as a test wants it."""

import weakref

import numpy as np
import torch
from torch import Tensor

from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.runner import Settings, run_network

CPU = DeviceChoice("cpu", "float32", "CPU")
GPU = DeviceChoice("cuda", "float32", "GPU 0", 0)
RNG = np.random.default_rng(0)


class FakeEngine:
    """A linear network that looks at one voxel: two logits out of all channels.

    ``room`` is how many voxels fit a pass; more raise what a full device raises.
    """

    name = "fake"

    def __init__(self, device: DeviceChoice, room: int = 2**40, per_voxel: float = 1.0) -> None:
        self.device = device
        self.room = room
        self.per_voxel = per_voxel
        self.batches: list[tuple[int, ...]] = []
        self.outputs: list[weakref.ref[Tensor]] = []
        self.released = 0

    def put(self, volume: Tensor) -> Tensor:
        return volume

    def fetch(self, logits: Tensor) -> Tensor:
        return logits.contiguous()

    def __call__(self, batch: Tensor) -> Tensor:
        voxels = batch[:, 0].numel()
        if voxels > self.room:
            raise torch.OutOfMemoryError("out of memory")
        self.batches.append(tuple(batch.shape))
        logits = torch.stack([batch.sum(1), 3 - 2 * batch[:, 0]], dim=1)
        self.outputs.append(weakref.ref(logits))
        return logits

    def bytes_per_voxel(self, channels: int, window: tuple[int, ...]) -> float:
        return self.per_voxel

    def release(self) -> None:
        self.released += 1


def linear(volume: np.ndarray) -> np.ndarray:
    """Return what the fake network says of a whole volume."""
    return np.stack([volume.sum(0), 3 - 2 * volume[0]])


def run(engine: FakeEngine, volume: np.ndarray, settings: Settings, **options) -> np.ndarray:
    """Run with one engine whatever the device."""
    return run_network(lambda device: engine, volume, engine.device, settings, **options)[0]
