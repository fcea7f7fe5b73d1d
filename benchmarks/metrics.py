"""Measure scoring one full-size case, and HD95 beside MONAI's, in one run.

    python benchmarks/metrics.py
    python benchmarks/metrics.py MASK REFERENCE      # two files of one patient

Without files two masks of 240 x 240 x 155 are made: nested blobs, a few small ones. Prints
the best of five runs in processor seconds of this process, which other programs disturb
less than the clock, and in wall-clock seconds.
"""

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import load_mask
from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.surface import hd95
from napari_brats.metrics.tasks import TASKS
from napari_brats.regions import REGIONS, Tissue, label_convention, region_mask

SHAPE = (240, 240, 155)
SPACING = (1.0, 1.0, 1.0)
RUNS = 5


def blob(center: tuple[int, int, int], radius: int) -> NDArray[np.bool_]:
    """Return a ball in a full-size volume."""
    axes = np.ogrid[tuple(slice(0, size) for size in SHAPE)]
    return sum((axis - at) ** 2 for axis, at in zip(axes, center, strict=True)) <= radius**2


def made(shift: int, islands: int) -> NDArray[np.uint8]:
    """Return (240, 240, 155) tissue codes in Fortran order, as files are read."""
    tissues = np.zeros(SHAPE, np.uint8, order="F")
    center = (100 + shift, 120, 70)
    for radius, tissue in (
        (40, Tissue.EDEMA),
        (26, Tissue.NECROSIS),
        (22, Tissue.ENHANCING),
        (10 + shift, Tissue.NECROSIS),
    ):
        tissues[blob(center, radius)] = tissue
    for number in range(islands):
        tissues[blob((60 + 12 * number, 60, 60 + 3 * number), 3)] = Tissue.ENHANCING
    return tissues


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Return the best processor and wall-clock time in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.process_time(), time.perf_counter()
        work()
        times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    return min(cpu for cpu, _ in times), min(wall for _, wall in times)


def monai_hd95(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return HD95 as MONAI computes it; its tensors are made outside of the measured time."""
    import torch
    from monai.metrics import compute_hausdorff_distance

    def run() -> object:
        return compute_hausdorff_distance(
            *tensors, include_background=True, percentile=95, spacing=list(SPACING)
        )

    tensors = [
        torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
        for mask in (prediction, reference)
    ]
    cpu, wall = best(run)
    print(f"| HD95 of WT, MONAI | {cpu:.3f} | {wall:.3f} |")
    return cpu


def main() -> None:
    """Measure the given pair, or a made one."""
    warnings.simplefilter("ignore")
    if len(sys.argv) == 3:
        convention = label_convention("brats2017-2021")
        prediction, reference = (load_mask(Path(path), convention)[0] for path in sys.argv[1:])
    else:
        prediction, reference = made(2, 5), made(0, 4)
    print("| work | processor s | wall s |\n| --- | --- | --- |")
    score_case(prediction, reference, SPACING, TASKS["GLI"])
    cpu, wall = best(lambda: score_case(prediction, reference, SPACING, TASKS["GLI"]))
    what = f"everything: {len(TASKS['GLI'].regions)} regions, 3 generations"
    print(f"| {what} | {cpu:.3f} | {wall:.3f} |")
    whole = [region_mask(mask, next(iter(REGIONS))) for mask in (prediction, reference)]
    ours, wall = best(lambda: hd95(*whole, SPACING))
    print(f"| HD95 of WT, here | {ours:.3f} | {wall:.3f} |")
    theirs = monai_hd95(*whole)
    print(f"\nHD95: {theirs / ours:.1f} times MONAI's speed (processor time)")


if __name__ == "__main__":
    main()
