"""Measure what the journal costs a brush stroke on a full-size mask, and when it is on disk.

Needs no window::

    python benchmarks/journal.py

Strokes with and without a journal take turns, 20 ms apart as from a fast hand, so that both
meet the same weather. Prints one JSON object, milliseconds.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_brats.editing.journal import Subject, read_journal
from napari_brats.editing.recorder import Recorder
from napari_brats.editing.scribe import Scribe
from napari_brats.widgets.edits import LayerEdits

SHAPE = (155, 240, 240)
ROUNDS, STROKES = 5, 25


def strokes(layer: Labels, rng: np.random.Generator) -> list[float]:
    """Paint discs of 20 voxels and time each."""
    times = []
    for _ in range(STROKES):
        place = (int(rng.integers(155)), *rng.integers(30, 210, 2))
        start = time.perf_counter()
        layer.paint(place, int(rng.integers(0, 4)))
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
    layer = Labels(np.zeros(SHAPE, np.uint8))
    layer.brush_size = 20
    edits = LayerEdits(layer, lambda function: function())
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject("case", "net", f"{folder}/t1.nii.gz", "", "IPL", (1.0,) * 16)
        recorder = Recorder(lambda: layer.data, subject, [Path(folder)], layer.data)
        scribe = Scribe()
        without: list[float] = []
        journaled: list[float] = []
        for _ in range(ROUNDS):
            edits.on_touch.clear()
            time.sleep(1.0)
            without += strokes(layer, rng)
            edits.on_touch.append(lambda: scribe.touch(recorder))
            journaled += strokes(layer, rng)
        start = time.perf_counter()
        scribe.touch(recorder)
        scribe.close()
        results: dict[str, Any] = {
            "stroke": spread(without),
            "stroke_with_journal": spread(journaled),
            "last_write": round((time.perf_counter() - start) * 1000, 1),
            "bytes": recorder.path.stat().st_size if recorder.path else 0,
            "exact": bool(recorder.path)
            and np.array_equal(read_journal(recorder.path).voxels, layer.data),
        }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
