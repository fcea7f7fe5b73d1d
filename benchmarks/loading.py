"""Measure loading a patient, with all checks, beside plain nibabel in threads.

    python benchmarks/loading.py ../shared/data/validation

Prints the median over the patients of the best of three runs each, and their ratio. What
nibabel does here reads the voxels and checks nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np

from napari_brats.case import load_case
from napari_brats.naming import PatientFiles, find_patients


def with_nibabel(patient: PatientFiles) -> None:
    """Read the same files without checks."""
    paths = [*patient.images.values(), *([patient.reference] if patient.reference else [])]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: np.asarray(nib.load(path).dataobj, dtype=np.float32), paths))


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Return the best wall-clock time in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure every patient below the given folder."""
    patients = find_patients(Path(sys.argv[1]))
    ours = [best(lambda p=p: load_case(p.folder)) for p in patients]
    plain = [best(lambda p=p: with_nibabel(p)) for p in patients]
    print("| way | median s |\n| --- | --- |")
    print(f"| load_case, all checks | {statistics.median(ours):.2f} |")
    print(f"| nibabel in threads, no checks | {statistics.median(plain):.2f} |")
    ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    print(f"\nratio (median over {len(patients)} patients): {ratio:.2f}")


if __name__ == "__main__":
    main()
