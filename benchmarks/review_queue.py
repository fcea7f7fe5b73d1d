"""Does the review queue put the worst masks first? Score against Dice, and the time it took.

    napari-brats cohort PATIENT_ROOT --model dresunet3d,unet3d,isensee2017 --output OUT
    python benchmarks/review_queue.py OUT

The patients need references. The queue never looks at them.
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.stats import spearmanr

from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.queue import build_queue


def main() -> None:
    """Rank a cohort and print both."""
    root = Path(sys.argv[1])
    start = perf_counter()
    queue = build_queue(root)
    seconds = perf_counter() - start
    dice: dict[str, list[float]] = {}
    for row in read_table(root):
        if row.dice:
            dice.setdefault(row.patient, []).append(float(np.mean(list(row.dice.values()))))
    scored = [(one, float(np.mean(dice[one.case]))) for one in queue if one.case in dice]
    for one, mean in scored:
        print(f"{one.case:28} score {one.score:.2f}  mean Dice {mean:.3f}  {one.reasons[:1]}")
    found = spearmanr([one.score for one, _ in scored], [mean for _, mean in scored])
    print(f"{len(scored)} patients, Spearman's rank correlation {found.statistic:.2f}")
    print(f"ranking took {seconds / len(queue):.1f} s a patient")


if __name__ == "__main__":
    main()
