"""Measure a cohort's run on 1, 2 and 4 workers beside the run in one process.

    python benchmarks/scaling.py [--patients 48] [--side 96] [--width 8] [--workers 1 2 4] [--write]

Made-up patients, a random network, a local cluster of Dask; run it on an idle machine. The
pace is taken from the first result to the last, so that starting workers and importing torch
(``start``, until the first result) does not count. Efficiency of w workers is their pace over
w times that of one worker; the overhead is the time a patient takes on one worker beyond what
it takes in this process. ``--write`` puts the table into docs/cohorts.md.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from patients import make_model, make_patients, write_block

from napari_brats.workflows.cohort.cluster import Cluster
from napari_brats.workflows.cohort.job import Settings
from napari_brats.workflows.cohort.plan import plan_cohort
from napari_brats.workflows.cohort.run import Here, Where, run_cohort
from napari_brats.workflows.cohort.starting import Local

PAGE = Path(__file__).parents[1] / "docs" / "cohorts.md"
SETTINGS = Settings(device="cpu", engine="torch", figures=False)


def timed(source: Path, model: Path, output: Path, where: Where) -> dict[str, float]:
    """Run once into a new folder."""
    plan = plan_cohort(source, output, [str(model)], SETTINGS)
    start, times = time.perf_counter(), []
    for step in run_cohort(plan, where):
        assert step.failed == 0, step.rows
        times.append(time.perf_counter() - start)
    return {
        "start_s": times[0],
        "seconds_a_patient": (times[-1] - times[0]) / max(1, len(times) - 1),
    }


def measure(patients: int, side: int, width: int, workers: list[int]) -> list[dict[str, Any]]:
    """Return a row for this process and for each number of workers."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["NAPARI_BRATS_CACHE"] = str(folder / "cache")
        source = make_patients(folder / "in", patients, side)
        model = make_model(folder, width)
        rows: list[dict[str, Any]] = [
            {"workers": "this process", **timed(source, model, folder / "out-0", Here())}
        ]
        for count in workers:
            cluster = Cluster(Local(count, "cpu"))
            found = timed(source, model, folder / f"out-{count}", cluster)
            rows.append({"workers": count, **found})
    here = rows[0]["seconds_a_patient"]
    one = next((row["seconds_a_patient"] for row in rows if row["workers"] == 1), None)
    for row in rows:
        pace = row["seconds_a_patient"]
        row["patients_a_minute"] = 60 / pace
        if row["workers"] == 1:
            row["overhead_ms"] = 1000 * (pace - here)
        if one is not None and isinstance(row["workers"], int):
            row["efficiency"] = one / (row["workers"] * pace)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    columns = {
        "workers": "workers", "start_s": "start, s", "patients_a_minute": "patients a minute",
        "efficiency": "efficiency", "overhead_ms": "overhead a patient, ms",
    }  # fmt: skip
    digits = {"start_s": 1, "patients_a_minute": 1, "efficiency": 2, "overhead_ms": 0}
    lines = [f"| {' | '.join(columns.values())} |", "|---" * len(columns) + "|"]
    for row in rows:
        cells = [
            "" if name not in row else f"{row[name]:.{digits[name]}f}" if name in digits
            else str(row[name])
            for name in columns
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=48)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    rows = measure(args.patients, args.side, args.width, args.workers)
    print(json.dumps(rows, indent=2))
    print(table(rows))
    if args.write:
        command = (
            f"`python benchmarks/scaling.py --patients {args.patients} --side {args.side} "
            f"--width {args.width}`, {os.cpu_count()} cores:\n\n"
        )
        write_block(PAGE, "scaling", command + table(rows))


if __name__ == "__main__":
    main()
