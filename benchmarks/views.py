"""Measure what strokes and moves cost with the linked views open, against without.

Opens a window on the synthetic sample patient (240 x 240 x 155)::

    xvfb-run -s "-screen 0 1400x1000x24" python benchmarks/views.py

Rounds with and without views take turns. A stroke is several dabs of the brush with region
rules, live scores and journal, on the mask, or on its twin in the coronal plane; what the
window then draws is told apart, because without a graphics card it is drawn by the processor.
Prints one JSON object: milliseconds that the window's own thread computes, which other
programs on the machine change little.
"""

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_brats.case import load_case
from napari_brats.plugin.layers import mask_layer
from napari_brats.samples import sample_folder
from napari_brats.widgets.centering import show_place
from napari_brats.widgets.close_guard import Answer
from napari_brats.widgets.launch import show_case
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.views_panel import PLANES, SOLID, TILES

ROUNDS, STROKES, DABS = 2, 12, 5
SETTLE_S = 0.3


def main() -> None:
    """Measure on a copy of the patient and print."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(sample_folder("brats2021"), Path(folder) / "BraTS2021_90001")
        print(json.dumps({"dabs": DABS, **measured(copy)}, indent=2))


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """Return what each thing costs."""
    viewer, widget = show_case(folder, model="dresunet3d")
    widget.ask = lambda titles: Answer.DISCARD
    wait(lambda: len(viewer.layers) >= 5 and widget.patient_control.idle)
    case = load_case(folder)
    assert case.reference is not None
    mask = viewer.add_layer(build_layer(mask_layer(case, case.reference, "bench")))
    wait(lambda: widget.masks.table.rowCount() == 3)
    widget.paint.regions.click()
    widget.paint.brushes.brushes["TC"].click()
    mask.brush_size = 20
    results: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        measure(results, "main canvas alone", viewer, mask, mask)
        open_ms = timed(widget.views.views[PLANES].click)
        results.setdefault("open three planes", []).append(open_ms)
        pause()
        measure(results, "three planes", viewer, mask, mask)
        twin = widget.views_control.canvases[0].twin_of(mask)
        measure(results, "three planes, on the coronal one", viewer, mask, twin)
        widget.views.difference.click()
        widget.views.views[SOLID].click()
        pause(3)
        measure(results, "three planes, 3D and difference", viewer, mask, mask)
        widget.views.views[SOLID].click()
        widget.views.difference.click()
        widget.views.views[TILES].click()
        pause()
        measure(results, "tiles", viewer, mask, mask)
        widget.views.views[TILES].click()
        pause()
    widget.mask_control.journals.give_up()
    viewer.close()
    pause()
    return {name: spread(values) for name, values in results.items()}


def measure(results: dict[str, list[float]], name: str, viewer: Any, mask: Any, layer: Any) -> None:
    """Time strokes through the tumor on a layer, and moves of the cursor."""
    places = np.argwhere(mask.data > 0)
    rng = np.random.default_rng(0)
    strokes = results.setdefault(f"{name}: stroke", [])
    drawn = results.setdefault(f"{name}: stroke and drawing", [])
    jumps = results.setdefault(f"{name}: jump to a place", [])
    slices = results.setdefault(f"{name}: next slice", [])
    for number in range(STROKES):
        place = places[rng.integers(len(places))]
        jumps.append(timed(lambda place=place: show_place(viewer, mask.data_to_world(place))))
        pause(0.05)
        step = viewer.dims.current_step[0]
        slices.append(timed(lambda step=step: viewer.dims.set_current_step(0, step + 1)))
        viewer.dims.set_current_step(0, step)
        pause(0.05)
        label = int(mask.selected_label) if number % 2 else 0
        start = time.thread_time()
        strokes.append(timed(lambda place=place, label=label: stroke(layer, place, label)))
        QApplication.processEvents()
        drawn.append((time.thread_time() - start) * 1000)


def stroke(layer: Any, place: np.ndarray, label: int) -> None:
    """Paint dabs along the last axis as one step, as the mouse does."""
    layer.mode = "paint"
    with layer.block_history():
        for dab in range(DABS):
            x = min(int(place[2]) + 4 * dab, layer.data.shape[2] - 1)
            spot = (int(place[0]), int(place[1]), x)
            layer._draw(label, spot, spot)


def timed(action: Callable[[], Any]) -> float:
    """Return how long the window's thread computes for an action, in ms."""
    start = time.thread_time()
    action()
    return (time.thread_time() - start) * 1000


def pause(seconds: float = SETTLE_S) -> None:
    """Let the window do what it has to."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def wait(done: Callable[[], bool]) -> None:
    """Let the window work until something is done."""
    end = time.monotonic() + 60
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get ready within 60 s")
        pause(0.05)


def spread(values: list[float]) -> dict[str, float]:
    """Return what is typical and what is rare."""
    ordered = sorted(values)
    p95 = ordered[int(0.95 * len(ordered))]
    return {"median": round(statistics.median(values), 2), "p95": round(p95, 2)}


if __name__ == "__main__":
    main()
