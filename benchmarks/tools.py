"""Measure the whole-volume tools on a full-size patient, and what undoing them costs in memory.

    python benchmarks/tools.py [PATIENT]

Without PATIENT it is a bundled one. Each tool runs on the reference, drawn in axial order as
in the window, with its default parameters; ``seconds`` is the median of five runs,
``longest_wait`` the longest time for which another thread could not run. Then 500 strokes
and 20 whole-volume operations go through napari's history. Prints one JSON object.
"""

import json
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from napari.layers import Labels

from napari_brats.case import load_case
from napari_brats.editing.brushes import region_brushes, tissue_brushes
from napari_brats.editing.tools.table import ALL, IMAGES, MODEL, OTHER, TOOLS, Tool
from napari_brats.editing.tools.work import Work, gained_and_lost_ml
from napari_brats.plugin.display import display_of
from napari_brats.samples import SAMPLES, sample_folder
from napari_brats.widgets.tool_apply import apply_box

ROUNDS = 5
STROKES, OPERATIONS = 500, 20


class Watch(threading.Thread):
    """Wakes every millisecond and keeps the longest time that it could not."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest, self.done = 0.0, False

    def run(self) -> None:
        """Watch."""
        last = time.perf_counter()
        while not self.done:
            time.sleep(0.001)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now


def patient_work(path: Path) -> Work:
    """Return a patient's reference and images as the window shows them."""
    case = load_case(path)
    display = display_of(case.affine, case.shape)
    assert case.reference is not None
    mask = display.to_display(case.reference).copy()
    images = [display.to_display(image).copy() for image in case.images.values()]
    brushes = (*region_brushes(case.convention), *tissue_brushes(case.convention))
    seed = tuple(np.argwhere(mask == 3)[np.count_nonzero(mask == 3) // 2].tolist())
    other = np.roll(mask, 3, axis=1)
    return Work(mask, display.scale, None, brushes, seed=seed, other=other, images=images)


def prepared(tool: Tool, work: Work) -> Work:
    """Return what a tool is applied to by default; every third slice only, to fill between."""
    mask = work.mask
    if tool.name == "slices":
        mask = mask.copy()
        mask[np.arange(len(mask)) % 3 > 0] = 0
    if IMAGES in tool.needs:
        mask = np.zeros_like(mask)
    named = {brush.name: brush for brush in work.brushes}
    brush = None if tool.applies_to[0] == ALL else named[tool.first or "WT"]
    other = work.other if tool.needs & {OTHER, MODEL} else None
    return Work(
        mask,
        work.spacing_mm,
        brush,
        work.brushes,
        seed=work.seed,
        other=other,
        images=work.images,
    )


def measured(tool: Tool, work: Work) -> dict[str, Any]:
    """Run a tool and tell what it took and changed."""
    work = prepared(tool, work)
    times, box = [], None
    watch = Watch()
    watch.start()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        box = tool.run(work)
        times.append(time.perf_counter() - start)
    watch.done = True
    watch.join()
    return {
        "seconds": round(statistics.median(times), 3),
        "longest_wait": round(watch.longest, 3),
        "ml": {}
        if box is None
        else {
            title: f"+{came:.2f} -{went:.2f}"
            for title, (came, went) in gained_and_lost_ml(box, work.voxel_ml).items()
        },
    }


def history_mb(work: Work) -> dict[str, float]:
    """Return what strokes and whole-volume operations add to the process, in MB."""
    layer = Labels(work.mask.copy())
    layer.brush_size = 20
    rng = np.random.default_rng(0)
    process = psutil.Process()
    named = {brush.name: brush for brush in work.brushes}
    # What the tools need once and for all is loaded before.
    TOOLS["grow"].run(Work(layer.data, work.spacing_mm, named["WT"]))
    start = process.memory_info().rss
    for _ in range(STROKES):
        place = (int(rng.integers(len(work.mask))), *rng.integers(30, 210, 2))
        layer.paint(place, int(rng.integers(0, 4)))
    strokes = process.memory_info().rss
    voxels = 0
    for number in range(OPERATIONS):
        tool = TOOLS["grow" if number % 2 else "shrink"]
        box = tool.run(Work(layer.data, work.spacing_mm, named["WT"]), mm=3)
        if box is not None:
            voxels += int(np.count_nonzero(box.old != box.new))
            apply_box(layer, box)
    end = process.memory_info().rss
    return {
        "strokes": round((strokes - start) / 1e6, 1),
        "operations": round((end - strokes) / 1e6, 1),
        "voxels_per_operation": voxels // OPERATIONS,
    }


def main() -> None:
    """Measure and print."""
    default = sample_folder(next(iter(SAMPLES)))
    work = patient_work(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
    results: dict[str, Any] = {"shape": work.mask.shape}
    results["tools"] = {name: measured(tool, work) for name, tool in TOOLS.items()}
    results["history_mb"] = history_mb(work)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
