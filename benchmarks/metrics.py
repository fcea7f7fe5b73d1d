"""Measure scoring one full-size case, and HD95 beside MONAI's, in one run.

    python benchmarks/metrics.py
    python benchmarks/metrics.py MASK REFERENCE      # two files of one patient

Without files pairs of masks of 240 x 240 x 155 are made: a usual one (nested blobs, a few
small ones), and pairs that no usable prediction gives, far apart or unrelated, where exact
distances are dear. Each number is the median of seven runs, ours and MONAI's in turns, in
processor seconds of this process (which other programs disturb less than the clock) and in
wall-clock seconds.
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
RUNS = 7


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


def noise(seed: int) -> NDArray[np.bool_]:
    """Return the highest twentieth of smoothed noise: a hundred blobs of any shape."""
    from scipy.ndimage import gaussian_filter

    field = np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    field = gaussian_filter(field, 12)
    return field > np.quantile(field, 0.95)


def timed(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Return each work's median processor and wall-clock seconds; they run in turns."""
    times = np.zeros((RUNS, len(works), 2))
    for run in range(RUNS):
        for number, work in enumerate(works):
            start = time.process_time(), time.perf_counter()
            work()
            times[run, number] = time.process_time() - start[0], time.perf_counter() - start[1]
    return [(float(cpu), float(wall)) for cpu, wall in np.median(times, axis=0)]


def monai_hd95(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Callable[[], float]:
    """Return MONAI's HD95 as a function; its tensors are made outside of the measured time."""
    import torch
    from monai.metrics import compute_hausdorff_distance

    tensors = [
        torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
        for mask in (prediction, reference)
    ]
    options = {"include_background": True, "percentile": 95, "spacing": list(SPACING)}
    return lambda: compute_hausdorff_distance(*tensors, **options).item()


def compare(name: str, prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> None:
    """Print one pair's HD95, the times of both programs, and their ratio."""
    theirs = monai_hd95(prediction, reference)
    value = hd95(prediction, reference, SPACING)
    assert np.isclose(value, theirs(), rtol=1e-5)
    ours, other = timed(lambda: hd95(prediction, reference, SPACING), theirs)
    ratio = other[0] / ours[0]
    print(f"| {name} | {value:.2f} | {ours[0]:.3f} | {other[0]:.3f} | {ratio:.1f} |", flush=True)


def pairs() -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return pairs of tissue codes: the one on the command line, or made ones."""
    if len(sys.argv) == 3:
        convention = label_convention("brats2017-2021")
        first, second = (load_mask(Path(path), convention)[0] for path in sys.argv[1:])
        return {"the given pair": (first, second)}
    enhancing = np.uint8(Tissue.ENHANCING)
    return {
        "usual": (made(2, 5), made(0, 4)),
        "30 mm off": (
            enhancing * blob((100, 120, 70), 40), enhancing * blob((130, 110, 80), 35)
        ),
        "on the other side": (
            enhancing * blob((70, 120, 70), 40), enhancing * blob((170, 120, 70), 40)
        ),
        "a small one, far away": (
            enhancing * blob((40, 40, 40), 4), enhancing * blob((170, 120, 70), 40)
        ),
        "unrelated": (enhancing * noise(1), enhancing * noise(2)),
    }  # fmt: skip


def main() -> None:
    """Measure the given pair, or made ones."""
    warnings.simplefilter("ignore")
    made_pairs = pairs()
    name, (prediction, reference) = next(iter(made_pairs.items()))
    task = TASKS["GLI"]
    ((cpu, wall),) = timed(lambda: score_case(prediction, reference, SPACING, task))
    print(
        f"everything for {name}, {len(task.regions)} regions, 3 generations: "
        f"{cpu:.2f} s processor, {wall:.2f} s wall\n"
    )
    print("| HD95 of WT | mm | here, s | MONAI, s | ratio |\n| --- | --- | --- | --- | --- |")
    for name, masks in made_pairs.items():
        compare(name, *(region_mask(mask, next(iter(REGIONS))) for mask in masks))


if __name__ == "__main__":
    main()
