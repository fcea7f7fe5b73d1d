"""Measure how busy each stage of a cohort's run is, and whether memory stays flat.

    python benchmarks/cohort.py [--patients 200] [--side 64] [--width 8] [--write]

Made-up patients of side^3 voxels go through `run_cohort` in this process, one thread a stage,
with a random network. The share of the slowest stage is its busy time over the time from the
first patient's entry to the last one's exit, loading the network included. Memory is that
of the process after each patient; the growth is that of a straight line through the second
half. ``--write`` puts the figures into docs/cohorts.md.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from patients import make_model, make_patients, write_block

from napari_brats.workflows.cohort.job import Settings
from napari_brats.workflows.cohort.plan import plan_cohort
from napari_brats.workflows.cohort.run import Here, run_cohort

PAGE = Path(__file__).parents[1] / "docs" / "cohorts.md"


def measure(patients: int, side: int, width: int) -> dict[str, object]:
    """Run and return what was measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["NAPARI_BRATS_CACHE"] = str(folder / "cache")
        source = make_patients(folder / "in", patients, side)
        model = make_model(folder, width)
        settings = Settings(device="cpu", engine="torch", figures=False)
        plan = plan_cohort(source, folder / "out", [str(model)], settings)
        here, process, memory = Here(), psutil.Process(), []
        start = time.perf_counter()
        for _ in run_cohort(plan, here):
            memory.append(process.memory_info().rss / 1e6)
            seconds = time.perf_counter() - start
    half = memory[len(memory) // 2 :]
    slope = float(np.polyfit(range(len(half)), half, 1)[0]) if len(half) > 1 else 0.0
    return {
        "patients": patients,
        "side": side,
        "seconds": round(seconds, 2),
        "busy": {one.name: round(one.busy_seconds / seconds, 3) for one in here.stages},
        "memory_mb": {
            "first": round(memory[0]), "half": round(half[0]), "last": round(memory[-1]),
            "most": round(max(memory)),
        },
        "growth_mb_a_patient": round(slope, 3),
    }  # fmt: skip


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    found = measure(args.patients, args.side, args.width)
    print(json.dumps(found, indent=2))
    if args.write:
        busy, memory = found["busy"], found["memory_mb"]
        lines = [
            f"`python benchmarks/cohort.py --patients {args.patients} --side {args.side} "
            f"--width {args.width}`, {os.cpu_count()} cores: {found['seconds']} s.",
            "",
            "| stage | busy |",
            "|---|---|",
            *(f"| {name} | {share:.0%} |" for name, share in busy.items()),
            "",
            f"Memory of the process: {memory['first']} MB after the first patient, "
            f"{memory['half']} half-way, {memory['last']} after the last, "
            f"{memory['most']} at most.",
        ]
        write_block(PAGE, "stages", "\n".join(lines))


if __name__ == "__main__":
    main()
