"""Measure what a person at the window feels: opening, strokes, and stalls of the event loop.

Opens a real napari window with the Segment widget, so it needs a display with OpenGL::

    xvfb-run -a -s "-screen 0 1400x1000x24" python benchmarks/event_loop_probe.py [PATIENT ...]

Without a path the bundled sample patients are used. Prints one JSON object. ``longest_ms``
is the longest turn of the event loop, ``cpu_ms`` what this thread itself computed in it: the
rest it waited, for the processor or for another thread to let go of the interpreter.
``napari alone`` is a bare window that is given the same kinds of layers: the floor of a turn in
which a layer appears.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QApplication

STROKES = 40
PATIENCE_S = 60.0


class Loop:
    """Turns the event loop by hand and remembers the longest turn."""

    def __init__(self) -> None:
        self.application = QApplication.instance()
        self.turns_ms: list[tuple[float, float]] = []

    def turn(self) -> None:
        """Let the window do what is due."""
        start, cpu = time.perf_counter(), time.thread_time()
        self.application.processEvents()
        wall = (time.perf_counter() - start) * 1000
        self.turns_ms.append((wall, (time.thread_time() - cpu) * 1000))
        time.sleep(0.001)

    def until(self, done: Callable[[], bool]) -> dict[str, Any]:
        """Turn until something is done, then once more to draw it."""
        self.turns_ms.clear()
        start = time.perf_counter()
        while not done():
            if time.perf_counter() - start > PATIENCE_S:
                raise TimeoutError("nothing happened; is the patient readable?")
            self.turn()
        self.turn()
        longest = sorted(self.turns_ms, reverse=True)[:4]
        return {
            "seconds": round(time.perf_counter() - start, 3),
            "longest_ms": [round(wall, 1) for wall, _ in longest],
            "cpu_ms": [round(cpu, 1) for _, cpu in longest],
        }

    def rest(self, seconds: float) -> None:
        """Turn for a while."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.turn()


def choose(loop: Loop, viewer: Any, widget: Any, place: int) -> dict[str, Any]:
    """Click a patient in the list and wait until it is complete."""
    row = widget.patients.rows()[place]
    tree = widget.patients.list
    tree.itemClicked.emit(tree.topLevelItem(place), 0)
    return loop.until(
        lambda: (
            widget.patient_control.idle
            and any(layer.metadata.get("case_id") == row.files.case_id for layer in viewer.layers)
        )
    )


def next_case(loop: Loop, viewer: Any, widget: Any) -> dict[str, Any] | None:
    """Let the next case be read ahead, press Next case, and time until it is complete."""
    control = widget.patient_control
    row = control.neighbor(1) or control.neighbor(-1)
    if row is None:
        return None
    ahead = loop.until(lambda: control.prefetch.ready)
    (widget.review.after if control.neighbor(1) is not None else widget.review.before).click()
    opened = loop.until(
        lambda: (
            control.idle
            and any(layer.metadata.get("case_id") == row.files.case_id for layer in viewer.layers)
        )
    )
    return {"read_ahead_seconds": ahead["seconds"], **opened}


def strokes(loop: Loop, viewer: Any, widget: Any) -> dict[str, Any]:
    """Paint with napari's brush on a full-size mask and time until the table is right."""
    reference = next(layer for layer in viewer.layers if layer.name.startswith("reference"))
    mask = viewer.add_labels(
        reference.data.copy(),
        scale=reference.scale,
        translate=reference.translate,
        units=reference.units,
        axis_labels=reference.axis_labels,
    )
    loop.rest(0.5)
    rng = np.random.default_rng(0)
    painted, undone = [], []
    for size in (5, 10, 20, 40):
        mask.brush_size = size
        for _ in range(STROKES // 4):
            place = (viewer.dims.current_step[0], *rng.integers(60, 180, 2))
            start = time.perf_counter()
            mask.paint(place, int(rng.integers(0, 4)))
            painted.append((time.perf_counter() - start) * 1000)
            loop.turn()
    for _ in range(10):
        start = time.perf_counter()
        mask.undo()
        loop.turn()
        undone.append((time.perf_counter() - start) * 1000)
    return {"stroke_ms": _spread(painted), "undo_and_redraw_ms": _spread(undone)}


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 2), "max": round(max(values), 2)}


def segmentation(loop: Loop, viewer: Any, widget: Any) -> dict[str, Any] | None:
    """Run the chosen model, if it has weights."""
    if widget.models.model() is None:
        return None
    count = len(viewer.layers)
    widget.run.segment.click()
    return loop.until(lambda: widget.run_control.idle and len(viewer.layers) > count)


def napari_alone(loop: Loop) -> dict[str, Any]:
    """Add full-size layers to a window without our plugin, one a turn, and time each turn."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    loop.rest(1.0)
    volume = np.random.default_rng(0).normal(500, 100, (155, 240, 240)).astype(np.float32)
    added: dict[str, list[tuple[float, float]]] = {"image": [], "labels": []}
    for kind in (*["image"] * 4, *["labels"] * 3):
        start, cpu = time.perf_counter(), time.thread_time()
        if kind == "image":
            viewer.add_image(volume, contrast_limits=(0, 1000))
        else:
            viewer.add_labels((volume > 700).astype(np.uint8))
        loop.application.processEvents()
        wall = (time.perf_counter() - start) * 1000
        added[kind].append((wall, (time.thread_time() - cpu) * 1000))
        loop.rest(0.3)
    viewer.close()
    return {
        kind: {
            "turns_ms": [round(wall, 1) for wall, _ in turns],
            "cpu_ms": [round(cpu, 1) for _, cpu in turns],
        }
        for kind, turns in added.items()
    }


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patients", nargs="*", type=Path)
    parser.add_argument("--segment", action="store_true", help="run the model too")
    options = parser.parse_args(arguments)
    import napari

    from napari_brats.samples import sample_data_dir
    from napari_brats.widgets.close_guard import Answer
    from napari_brats.widgets.segment import SegmentWidget

    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    widget = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Segment")
    loop = Loop()
    loop.rest(2.0)
    results: dict[str, Any] = {}
    for root in options.patients or [sample_data_dir()]:
        widget.patients.path.setText(str(root))
        widget.patient_control.find(str(root))
        results["list"] = loop.until(lambda: widget.patient_control.idle)
        for place in range(min(2, len(widget.patients.rows()))):
            if place or len(widget.patients.rows()) > 1:
                case_id = widget.patients.rows()[place].files.case_id
                results[f"open {case_id}"] = choose(loop, viewer, widget, place)
                loop.rest(0.5)
    results["next case, read ahead"] = next_case(loop, viewer, widget)
    results.update(strokes(loop, viewer, widget))
    if options.segment:
        results["segment"] = segmentation(loop, viewer, widget)
    widget.ask = lambda titles: Answer.DISCARD
    viewer.close()
    results["napari alone"] = napari_alone(loop)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
