"""One way in a process of its own, which runs a network whenever it is asked and takes the time."""

import time
from multiprocessing.connection import Connection

import numpy as np
import torch
from hardware import hardware
from peers import WAYS, Forward, Way, seeded

from napari_brats.networks.registry import model_spec

Answer = tuple[float, np.ndarray, int]


def serve(
    pipe: Connection, way: str, model: str, size: str, volume: np.ndarray, device: str = "cpu"
) -> None:
    """Run a network whenever asked; answer (seconds, labels, peak bytes), or what went wrong.

    The seconds begin and end with a volume and logits in the computer's own memory and with
    the device at rest. A failure is answered in words and ends the process.

    Parameters
    ----------
    pipe : Connection
        Anything received is one run; None ends the process.
    way, model, size : str
        Keys in `WAYS`, `MODELS` and its sizes. Weights are random, with one seed.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        Prepared.
    device : str
        As torch calls it.
    """
    try:
        forward, volume = _ready(WAYS[way], model, size, volume, device)
        while pipe.recv() is not None:
            pipe.send(_timed(forward, volume, device))
    except Exception as error:  # every peer fails in its own ways; the others go on
        pipe.send(f"{type(error).__name__}: {error}")


def _ready(
    way: Way, model: str, size: str, volume: np.ndarray, device: str
) -> tuple[Forward, np.ndarray]:
    hardware(device).begin(device)
    torch.backends.cudnn.allow_tf32 = way.numbers == "tfloat32"
    network = seeded(model, size)
    volume = np.ascontiguousarray(volume[: network.in_channels])
    return way.prepare(network, model_spec(model), device), volume


def _timed(forward: Forward, volume: np.ndarray, device: str) -> Answer:
    row = hardware(device)
    row.finish(device)
    start = time.perf_counter()
    logits = forward(volume)
    row.finish(device)
    seconds = time.perf_counter() - start
    return seconds, logits.argmax(0).astype(np.uint8), row.peak_bytes(device)
