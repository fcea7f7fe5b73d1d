"""Measure a patient from folder to saved mask, everything included.

    python benchmarks/end_to_end.py [PATIENT] [--model dresunet3d] [--runs 5] [--page FILE]

``cold`` is a new process of ``napari-brats segment``, from its start to its end, with the
engine's cache as it is from the second process on; ``first ever`` the same with an empty one.
``warm`` is a later patient of one process. ``first sign`` is the time until a warm run tells its
first step, ``longest without`` the longest time before any step, which is how long a cancel
can take. Peak memory is the cold process's. Without a path the bundled patient is used.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from pages import machine, write_block

from napari_brats.samples import SAMPLES, sample_folder
from napari_brats.workflows.segment import segment

HEAD = ("model", "engine", "warm s", "cold s", "first ever s", "first sign s", "longest without s",
        "peak GB")  # fmt: skip


def cold(patient: Path, model: str, engine: str, cache: Path) -> tuple[float, float]:
    """Return the seconds and the peak gigabytes of one process of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        start, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            [sys.executable, "-m", "napari_brats", "segment", str(patient), "--model", model,
             "--engine", engine, "--output", str(Path(folder) / "mask.nii.gz")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NAPARI_BRATS_CACHE": str(cache)},
        )  # fmt: skip
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
    return seconds, peak / 1e9


def warm(patient: Path, model: str, engine: str, runs: int) -> tuple[float, float, float]:
    """Return the median seconds, those until the first step, and the longest before any."""
    totals, firsts, gaps = [], [], []
    for _ in range(runs + 1):
        times = [time.perf_counter()]
        with tempfile.TemporaryDirectory() as folder:
            segment(patient, model=model, engine=engine, output=folder,
                    on_step=lambda done, total, times=times: times.append(time.perf_counter()),
            )  # fmt: skip
        totals.append(time.perf_counter() - times[0])
        firsts.append(times[1] - times[0])
        gaps.append(max(b - a for a, b in itertools.pairwise(times)))
    return statistics.median(totals[1:]), statistics.median(firsts[1:]), max(gaps[1:])


def line(patient: Path, model: str, engine: str, runs: int) -> str:
    """Measure one model with one engine and return its row."""
    with tempfile.TemporaryDirectory() as cache:
        first_ever, _ = cold(patient, model, engine, Path(cache))
        again = [cold(patient, model, engine, Path(cache)) for _ in range(runs)]
    seconds, sign, gap = warm(patient, model, engine, runs)
    return (
        f"| `{model}` | {engine} | {seconds:.2f} | {statistics.median(s for s, _ in again):.2f} "
        f"| {first_ever:.2f} | {sign:.2f} | {gap:.2f} | {max(gb for _, gb in again):.2f} |"
    )


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patient", nargs="?", type=Path)
    parser.add_argument("--model", nargs="+", default=["dresunet3d", "kermi2018"])
    parser.add_argument("--engine", nargs="+", default=["torch", "openvino"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--page", type=Path, metavar="FILE", help="page to put the table into")
    options = parser.parse_args()
    patient = options.patient or sample_folder(next(iter(SAMPLES)))
    lines = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    for model in options.model:
        lines += [line(patient, model, engine, options.runs) for engine in options.engine]
    text = "\n".join([*lines, "", f"Medians of {options.runs} runs on {machine()}."])
    print(text)
    if options.page:
        write_block(options.page, "end-to-end", text)


if __name__ == "__main__":
    main()
