"""Measure what a brush stroke costs on a full-size mask with rules, live scores and journal.

Needs no window::

    python benchmarks/painting.py

The rules are the dearest there are: a region brush, a lock, a region to stay inside and two
windows of intensity. Strokes with and without them take turns. Prints one JSON object,
milliseconds.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from napari.layers import Labels

from napari_brats.editing.journal import Subject
from napari_brats.editing.recorder import Recorder
from napari_brats.editing.scribe import Scribe
from napari_brats.regions import LABEL_CONVENTIONS
from napari_brats.widgets.edits import LayerEdits
from napari_brats.widgets.live_scores import LiveScores
from napari_brats.widgets.painter import Band, Painter
from napari_brats.widgets.strokes import narrow_strokes

SHAPE = (155, 240, 240)
ROUNDS, STROKES, DABS = 5, 25, 5


def strokes(layer: Labels, rng: np.random.Generator) -> list[float]:
    """Paint strokes of several discs of 20 voxels and time each."""
    times = []
    for _ in range(STROKES):
        z, (y, x) = int(rng.integers(155)), rng.integers(30, 200, 2)
        label = int(rng.integers(0, 2))
        start = time.perf_counter()
        with layer.block_history():
            for dab in range(DABS):
                layer.paint((z, y, x + 4 * dab), label)
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.02)
    return times


def spread(values: list[float]) -> dict[str, float]:
    """Return what is typical and what is rare."""
    ordered = sorted(values)
    p95 = ordered[int(0.95 * len(ordered))]
    return {"median": round(statistics.median(values), 3), "p95": round(p95, 3)}


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 4, SHAPE).astype(np.uint8)
    layer = Labels(mask.copy())
    layer.brush_size = 20
    painter = Painter()
    painter.begin(LABEL_CONVENTIONS["brats2023-gli"])
    painter.choose(next(row for row in painter.region_rows if row.name == "TC"))
    painter.lock("ET", True)
    painter.stay_inside("WT")
    images = [SimpleNamespace(data=rng.random(SHAPE, np.float32)) for _ in range(2)]
    painter.set_bands(tuple(Band(image, "T1ce", 0.1, 0.9) for image in images))
    edits = LayerEdits(layer, lambda function: function())
    scores = LiveScores(layer.data, mask, 0.001)
    edits.on_paint.append(lambda atoms: scores.paint(atoms, layer.data))
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject("case", "net", f"{folder}/t1.nii.gz", "", "IPL", (1.0,) * 16)
        recorder = Recorder(lambda: layer.data, subject, [Path(folder)], layer.data)
        scribe = Scribe()
        edits.on_touch.append(lambda: scribe.touch(recorder))
        plain: list[float] = []
        ruled: list[float] = []
        for _ in range(ROUNDS):
            plain += strokes(layer, rng)
            free = narrow_strokes(layer, painter.narrow)
            ruled += strokes(layer, rng)
            free()
        scribe.close()
    results = {"dabs": DABS, "stroke": spread(plain), "stroke_by_the_rules": spread(ruled)}
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
