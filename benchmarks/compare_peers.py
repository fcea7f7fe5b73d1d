"""Compare ways to run the five networks: same weights, same patient, taking turns.

    python benchmarks/compare_peers.py [PATIENT] [--model M ...] [--size paper] [--runs 5]
                                       [--device cpu|cuda[:i]] [--way W ...]
                                       [--patience SECONDS] [--slices N]
                                       [--page FILE [--block NAME]]

Prints a Markdown table and, with ``--json FILE``, writes the same figures. Each way runs in a
process of its own; the ways take turns, so that a machine's moods hit all alike; the first
run of each, with compiling and caches, is told apart and not counted. A way that has taken
longer than ``--patience`` in all sits out the later turns; each has one that counts, and the
table tells how many. A way that fails is named below the table and the others go on. Without
a path the bundled synthetic patient is used. MONAI is needed (extra ``train``); nnU-Net is
compared where ``nnunetv2`` is installed. With ``--device cuda`` the ways are those for a GPU,
whose memory all of them share. A 2D network may be given a part of the slices: each takes as long
as any other.
"""

import argparse
import json
import multiprocessing
import statistics
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from hardware import HARDWARE, NUMBERS, copy_terabytes, hardware, kind_of, matrix_tflops
from pages import machine, write_block
from peers import WAYS
from peers_table import Row, lines_of
from serving import Answer, serve
from workload import workload

from napari_brats.case import load_case
from napari_brats.errors import BratsError
from napari_brats.inference.devices import resolve_device
from napari_brats.networks.registry import MODELS, model_spec
from napari_brats.preprocessing.recipes import prepare, recipe_named
from napari_brats.samples import SAMPLES, sample_folder

BASE = "monai-f32"
AUTOCAST = "monai-bf16"
EXACT = "plain-f32"

Answers = dict[str, list[Answer]]
Peaks = tuple[dict[str, float], float]


def take_turns(
    model: str,
    size: str,
    volume: np.ndarray,
    names: Iterable[str],
    *,
    runs: int = 5,
    patience: float = float("inf"),
    device: str = "cpu",
) -> tuple[Answers, dict[str, str]]:
    """Run ways in turn, each in a process of its own.

    Parameters
    ----------
    model, size : str
        Key in `MODELS` and its size.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        Prepared.
    names : iterable of str
        Keys in `WAYS`.
    runs : int
        How many turns count; one more comes before them.
    patience : float
        Seconds in all, after which a way sits out.
    device : str
        As torch calls it.

    Returns
    -------
    answers : dict of str to list of Answer
        What the ways said that did not fail, the first run first.
    failures : dict of str to str
        What the others died of.
    """
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name in names:
        pipes[name], theirs = context.Pipe()
        arguments = (theirs, name, model, size, volume, device)
        context.Process(target=serve, args=arguments, daemon=True).start()
        theirs.close()
    answers: Answers = {name: [] for name in pipes}
    failures: dict[str, str] = {}
    for turn in range(runs + 1):
        for name in [name for name in pipes if name not in failures]:
            if turn > 1 and sum(seconds for seconds, _, _ in answers[name]) > patience:
                continue
            answer = _ask(pipes[name])
            if isinstance(answer, str):
                failures[name] = answer
                del answers[name]
            else:
                answers[name].append(answer)
    for name in answers:
        pipes[name].send(None)
    return answers, failures


def _ask(pipe: Connection) -> Answer | str:
    with suppress(OSError):  # what it said before it ended can still be read
        pipe.send("run")
    try:
        answer: Answer | str = pipe.recv()
    except (EOFError, OSError):
        return "its process ended without a word, perhaps for lack of memory"
    return answer


def measure_peaks(device: str) -> Peaks:
    """Return the best rates of matrix products (by number type) and of copies on a device."""
    kinds = [way.numbers for way in WAYS.values() if kind_of(device) in way.kinds]
    used = [numbers for numbers in NUMBERS if numbers in kinds]
    return {numbers: matrix_tflops(numbers, device) for numbers in used}, copy_terabytes(device)


def rows_of(model: str, size: str, volume: np.ndarray, answers: Answers, peaks: Peaks) -> list[Row]:
    """Return a row for each way that answered."""
    medians = {
        name: statistics.median(seconds for seconds, _, _ in said[1:])
        for name, said in answers.items()
    }
    labels = {name: said[-1][1] for name, said in answers.items()}
    matrix, copy = peaks
    pass_ = workload(model, size, volume)
    return [
        Row(
            model=model,
            way=name,
            first_s=answers[name][0][0],
            seconds=took,
            runs=len(answers[name]) - 1,
            faster=_ratio(medians, BASE, name),
            faster_than_autocast=_ratio(medians, AUTOCAST, name),
            peak_gb=answers[name][-1][2] / 1e9,
            tflops=pass_.tflop / took,
            of_peak=pass_.tflop / took / matrix[WAYS[name].numbers],
            of_copy=pass_.terabytes(NUMBERS[WAYS[name].numbers].itemsize) / took / copy,
            changed=float(np.mean(labels[name] != labels[EXACT])) if EXACT in labels else None,
        )
        for name, took in medians.items()
    ]


def _ratio(medians: dict[str, float], base: str, name: str) -> float | None:
    return medians[base] / medians[name] if base in medians else None


def footer(size: str, volume: np.ndarray, device: str, peaks: Peaks) -> str:
    """Return a sentence on what was run, and where."""
    shape = " x ".join(map(str, volume.shape[1:]))
    there = hardware(device).title(device)
    text = f"{size} size, random weights, {shape} voxels, medians, {there}, on {machine()}."
    if kind_of(device) != "cpu":
        matrix, copy = peaks
        rates = ", ".join(f"{numbers} {rate:.0f}" for numbers, rate in matrix.items())
        text += f" Matrix products reached {rates} TFLOP/s, copies {copy:.2f} TB/s."
    return text


def main() -> None:
    """Compare and print."""
    options = _options()
    kind = kind_of(options.device)
    case = load_case(options.patient or sample_folder(next(iter(SAMPLES))))
    volume = prepare(recipe_named("brain-1mm"), case.images, case.affine).volume
    if options.slices:
        first = max(0, (volume.shape[3] - options.slices) // 2)
        volume = volume[..., first : first + options.slices]
    lines, rows = lines_of([], kind), []
    for model in options.model:
        ndim = model_spec(model).ndim
        wanted = [
            name
            for name, way in WAYS.items()
            if way.runs(ndim, kind) and (name in options.way or name == EXACT)
        ]
        answers, failures = take_turns(
            model,
            options.size,
            volume,
            wanted,
            runs=options.runs,
            patience=options.patience,
            device=options.device,
        )
        peaks = measure_peaks(options.device)
        found = rows_of(model, options.size, volume, answers, peaks)
        lines += lines_of(found, kind)[2:]
        print(*lines[len(lines) - len(found) :], sep="\n", flush=True)
        for name, why in failures.items():
            print(f"{model}, {WAYS[name].title}: {why}", flush=True)
        rows += found
    lines += ["", footer(options.size, volume, options.device, peaks)]
    print(*lines, sep="\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if options.page:
        block = f"peers-{options.size}" + ("" if kind == "cpu" else f"-{kind}")
        write_block(options.page, options.block or block, "\n".join(lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patient", nargs="?", type=Path)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--size", default="paper", choices=("paper", "lite"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu", metavar="|".join(HARDWARE) + "[:i]")
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--patience", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--slices", type=int, metavar="N", help="only the N in the middle")
    parser.add_argument("--page", type=Path, metavar="FILE", help="page to put the table into")
    parser.add_argument("--block", metavar="NAME", help="which table of the page")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1: the first run is not counted")
    if kind_of(options.device) not in HARDWARE:
        parser.error(f"--device must be one of {', '.join(HARDWARE)}, got {options.device!r}")
    try:
        options.device = resolve_device(options.device).torch_name
    except BratsError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    main()
