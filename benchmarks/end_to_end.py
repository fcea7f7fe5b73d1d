"""Measure a patient from folder to saved mask, everything included.

    python benchmarks/end_to_end.py [--model dresunet3d] [--runs 5] [--page FILE]

``cold`` is a new process of ``napari-brats segment``, from its start to its end, with the
engine's cache as it is from the second process on; ``first ever`` the same with an empty one.
``warm`` is a later patient of one process. ``bar`` is the time until a terminal shows the
progress bar of a new process (median), ``Ctrl-C`` the longest that one interrupted at a tenth, two
tenths, ... of its time went on, ``no step`` the longest time of a warm run without a step
(median of the runs), which is how long a cancel in the window can take. Peak memory is the cold
process's.

The second table is the network's share of it, in which an engine loads, converts and compiles:
what a column has more than ``again`` is the engine's overhead. ``other size`` is the first
patient of another size in one process, ``again`` the same patient once more.
"""

import argparse
import itertools
import json
import os
import pty
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Timer
from typing import NamedTuple

import numpy as np
import psutil
from pages import machine, write_block

from napari_brats.samples import SAMPLES, sample_folder
from napari_brats.workflows.segment import segment

HEAD = ("model", "engine", "warm s", "cold s", "first ever s", "bar s", "Ctrl-C s", "no step s",
        "peak GB")  # fmt: skip
NETWORK_HEAD = ("model", "engine", "first ever s", "new process s", "other size s", "again s")
TOUCHED_BYTES = 1024**3


class Cold(NamedTuple):
    """One process of the command line."""

    seconds: float
    network_seconds: float
    gigabytes: float


class Warm(NamedTuple):
    """Later patients of one process."""

    seconds: float
    without_step: float
    other_size: float
    again: float


def command(patient: Path, model: str, engine: str, folder: str) -> list[str]:
    """Return the command that segments a patient."""
    return [sys.executable, "-m", "napari_brats", "segment", str(patient), "--model", model,
            "--engine", engine, "--output", str(Path(folder) / "mask.nii.gz")]  # fmt: skip


def touch_memory() -> None:
    """Have the system hold memory: a virtual machine's host gives back slowly what lay idle."""
    np.ones(TOUCHED_BYTES, np.uint8)


def cold(patient: Path, model: str, engine: str) -> Cold:
    """Time one process of the command line."""
    touch_memory()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as told:
        start, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            [*command(patient, model, engine, folder), "--json"],
            stdout=told,
            stderr=subprocess.DEVNULL,
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        if process.wait() != 0:
            raise RuntimeError(f"segment failed for {model} with {engine}")
        told.seek(0)
        return Cold(seconds, json.load(told)["seconds"]["network"], peak / 1e9)


def in_terminal(patient: Path, model: str, engine: str, after: float) -> tuple[float, float]:
    """Press Ctrl-C in a terminal after some seconds.

    Returns the seconds until the bar was shown, below 0 if it was not, and from Ctrl-C to the
    end, 0 if that came first.
    """
    shown, asked = 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        child, terminal = pty.fork()
        if child == 0:
            line = command(patient, model, engine, folder)
            os.execve(line[0], line, {**os.environ, "TERM": "xterm"})

        def interrupt() -> None:
            nonlocal asked
            asked = time.perf_counter()
            os.kill(child, signal.SIGINT)

        timer = Timer(after, interrupt)
        timer.start()
        for text in _written(terminal):
            if not shown and b"segmenting" in text:
                shown = time.perf_counter()
        timer.cancel()
        os.waitpid(child, 0)
        end = time.perf_counter()
    return shown - start, end - asked if asked else 0.0


def _written(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            text = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return
        yield text


def warm(patients: Sequence[Path], model: str, engine: str, runs: int) -> Warm:
    """Time later patients: the first one some times, then one of another size twice."""
    totals, gaps = [], []
    touch_memory()
    for _ in range(runs + 1):
        times = [time.perf_counter()]
        _segment(patients[0], model, engine, times)
        times.append(time.perf_counter())
        totals.append(times[-1] - times[0])
        gaps.append(max(b - a for a, b in itertools.pairwise(times)))
    other, again = (_segment(patients[1], model, engine, []) for _ in range(2))
    return Warm(statistics.median(totals[1:]), statistics.median(gaps[1:]), other, again)


def _segment(patient: Path, model: str, engine: str, times: list[float]) -> float:
    """Segment into a folder that is thrown away; returns the network's seconds."""
    with tempfile.TemporaryDirectory() as folder:
        result = segment(
            patient,
            model=model,
            engine=engine,
            output=folder,
            on_step=lambda *_: times.append(time.perf_counter()),
        )
    return result.seconds["network"]


def median(runs: Sequence[Cold], name: str) -> float:
    """Return the median of one number of some processes."""
    return statistics.median(getattr(one, name) for one in runs)


def measure(patients: Sequence[Path], model: str, engine: str, runs: int) -> tuple[str, str]:
    """Measure one model with one engine; returns its rows of both tables."""
    first = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["NAPARI_BRATS_CACHE"] = cache
            first.append(cold(patients[0], model, engine))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NAPARI_BRATS_CACHE"] = cache
        cold(patients[0], model, engine)
        later = [cold(patients[0], model, engine) for _ in range(runs)]
        seconds = median(later, "seconds")
        stopped = [in_terminal(patients[0], model, engine, tenth * seconds / 10)
                   for tenth in range(1, 10)]  # fmt: skip
        run = warm(patients, model, engine, runs)
    return (
        f"| `{model}` | {engine} | {run.seconds:.2f} | {seconds:.2f} "
        f"| {median(first, 'seconds'):.2f} "
        f"| {statistics.median(shown for shown, _ in stopped if shown > 0):.2f} "
        f"| {max(end for _, end in stopped):.2f} | {run.without_step:.2f} "
        f"| {max(one.gigabytes for one in later):.2f} |",
        f"| `{model}` | {engine} | {median(first, 'network_seconds'):.2f} "
        f"| {median(later, 'network_seconds'):.2f} | {run.other_size:.2f} | {run.again:.2f} |",
    )


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a Markdown table."""
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *rows])


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["dresunet3d", "kermi2018"])
    parser.add_argument("--engine", nargs="+", default=["torch", "openvino"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--page", type=Path, metavar="FILE", help="page to put the tables into")
    options = parser.parse_args()
    patients = [sample_folder(name) for name in SAMPLES]
    rows = [measure(patients, model, engine, options.runs)
            for model, engine in itertools.product(options.model, options.engine)]  # fmt: skip
    note = f"Medians of {options.runs} runs on {machine()}."
    for block, head, column in (("end-to-end", HEAD, 0), ("engines", NETWORK_HEAD, 1)):
        text = f"{table(head, [row[column] for row in rows])}\n\n{note}"
        print(text)
        if options.page:
            write_block(options.page, block, text)


if __name__ == "__main__":
    main()
