"""Compare ways to run the five networks: same weights, same patient, taking turns.

    python benchmarks/compare_peers.py [PATIENT] [--model M ...] [--size paper] [--runs 5]
                                       [--patience SECONDS] [--page FILE]

Prints a Markdown table and, with ``--json FILE``, writes the same figures. Each way runs in a
process of its own; the ways take turns, so that a machine's moods hit all alike; the first
run of each, with compiling and caches, is told apart and not counted. A way that has taken
longer than ``--patience`` in all sits out the later turns; each has one that counts, and the
table tells how many. Without a path the
bundled synthetic patient is used. MONAI is needed (extra ``train``); nnU-Net is compared where
``nnunetv2`` is installed.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from pages import machine, write_block
from peers import WAYS, seeded, serve
from torch.utils.flop_counter import FlopCounterMode

from napari_brats.case import load_case
from napari_brats.networks.registry import MODELS, model_spec
from napari_brats.preprocessing.recipes import prepare, recipe_named
from napari_brats.samples import SAMPLES, sample_folder

BASE = "monai-f32"
EXACT = "plain-f32"
HEAD = (
    "network",
    "way",
    "median s",
    "times MONAI float32",
    "runs",
    "first s",
    "peak GB",
    "TFLOP/s",
    "of the matrix peak",
    "labels changed",
)
_GEMM = 2048


@dataclass(frozen=True)
class Row:
    """What one way took for one network.

    ``first_s`` is its first run, ``seconds`` the median of the other ``runs``; ``changed`` the
    share of voxels whose label differs from plain PyTorch's in float32.
    """

    model: str
    way: str
    first_s: float
    seconds: float
    runs: int
    faster: float
    peak_gb: float
    tflops: float
    of_peak: float
    changed: float


def gemm_tflops(dtype: torch.dtype) -> float:
    """Return the best rate of a large matrix product here, in 10^12 operations a second."""
    a, b = (torch.randn(_GEMM, _GEMM).to(dtype) for _ in range(2))
    times = []
    for _ in range(8):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * _GEMM**3 / min(times) / 1e12


def work(model: str, size: str, volume: np.ndarray) -> float:
    """Return the operations of one pass over the padded volume, in 10^12."""
    spec, network = model_spec(model), seeded(model, size)
    side = 48 if spec.ndim == 2 else 32
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        network(torch.zeros(1, network.in_channels, *(side,) * spec.ndim))
    grid = [-(-n // spec.multiple) * spec.multiple for n in volume.shape[1:]]
    voxels = np.prod(grid if spec.ndim == 3 else [*grid[:2], volume.shape[3]])
    return counter.get_total_flops() / side**spec.ndim * voxels / 1e12


Times = dict[str, list[float]]


def take_turns(
    model: str, size: str, volume: np.ndarray, runs: int, patience: float
) -> tuple[Times, dict[str, np.ndarray], dict[str, int]]:
    """Run every way in a process of its own and return its times, labels and peak bytes."""
    spec = model_spec(model)
    names = [name for name, way in WAYS.items() if way.runs(spec.ndim)]
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for name in names:
        ours, theirs = context.Pipe()
        arguments = (theirs, name, model, size, volume)
        context.Process(target=serve, args=arguments, daemon=True).start()
        pipes[name] = ours
    seconds: Times = {name: [] for name in names}
    labels, peaks = {}, {}
    for turn in range(runs + 1):
        for name in names:
            if turn > 1 and sum(seconds[name]) > patience:
                continue
            pipes[name].send("run")
            took, labels[name], peaks[name] = pipes[name].recv()
            seconds[name].append(took)
    for pipe in pipes.values():
        pipe.send(None)
    return seconds, labels, peaks


def compare(model: str, size: str, volume: np.ndarray, runs: int, patience: float) -> list[Row]:
    """Run every way in turn and return a row for each."""
    seconds, labels, peaks = take_turns(model, size, volume, runs, patience)
    medians = {name: statistics.median(took[1:]) for name, took in seconds.items()}
    ceilings = {"f32": gemm_tflops(torch.float32), "bf16": gemm_tflops(torch.bfloat16)}
    amount = work(model, size, volume)
    return [
        Row(
            model=model,
            way=name,
            first_s=seconds[name][0],
            seconds=medians[name],
            runs=len(seconds[name]) - 1,
            faster=medians.get(BASE, medians[EXACT]) / medians[name],
            peak_gb=peaks[name] / 1e9,
            tflops=amount / medians[name],
            of_peak=amount / medians[name] / ceilings["bf16" if "bf16" in name else "f32"],
            changed=float(np.mean(labels[name] != labels[EXACT])),
        )
        for name in medians
    ]


def lines_of(rows: list[Row]) -> list[str]:
    """Return a Markdown table's lines."""
    return [
        f"| `{row.model}` | {WAYS[row.way].title} | {row.seconds:.2f} | {row.faster:.1f} "
        f"| {row.runs} | {row.first_s:.1f} | {row.peak_gb:.1f} "
        f"| {row.tflops:.3f} | {row.of_peak:.0%} | {row.changed:.2%} |"
        for row in rows
    ]


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patient", nargs="?", type=Path)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--size", default="paper", choices=("paper", "lite"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--patience", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--page", type=Path, metavar="FILE", help="page to put the table into")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    case = load_case(options.patient or sample_folder(next(iter(SAMPLES))))
    volume = prepare(recipe_named("brain-1mm"), case.images, case.affine).volume
    lines, rows = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"], []
    for model in options.model:
        found = compare(model, options.size, volume, options.runs, options.patience)
        lines += lines_of(found)
        print(*lines[-len(found) :], sep="\n", flush=True)
        rows += found
    shape = " x ".join(map(str, volume.shape[1:]))
    lines += [
        "",
        f"{options.size} size, random weights, {shape} voxels, medians, "
        f"{torch.get_num_threads()} threads, on {machine()}.",
    ]
    print(*lines, sep="\n")
    if options.page:
        write_block(options.page, f"peers-{options.size}", "\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
