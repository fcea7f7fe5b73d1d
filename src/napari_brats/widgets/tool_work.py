"""One use of a whole-volume tool: what was asked for, computed away from the window."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Box
from napari_brats.editing.codes import as_codes
from napari_brats.editing.tools.table import IMAGES, MODEL, OTHER, SEED, Tool
from napari_brats.editing.tools.work import Work, gained_and_lost_ml
from napari_brats.widgets.runs import Run, Segment, running
from napari_brats.widgets.steps import Notice, Step

CHANGED_MEANWHILE = "The mask changed meanwhile, so nothing was done; try again."
LIMITS_CHANGED = "What may change was narrowed meanwhile, so nothing was done; preview again."
STALE = "The mask changed: preview again."
NOTHING = "Nothing would change here, or the limits forbid it."
NO_PLACE = "Pick a place first: press Pick, then click on the image."
NO_OTHER = "There is no other mask or reference of this patient to take from."
NO_IMAGE = "Tick at least one image to look at."
BUSY = "A segmentation is running; wait for it, or cancel it."


@dataclass(frozen=True, eq=False)
class ToolRun:
    """What was asked for.

    Parameters
    ----------
    layer : napari.layers.Labels
        The mask.
    voxels : int
        Checksum of the mask that ``work`` holds a copy of.
    tool, work, values
        As `Tool.run` takes them.
    model : Run or None
        The segmentation that has to come first.
    applying : bool
        Whether the mask is to be changed at once.
    """

    layer: Any
    voxels: int
    tool: Tool
    work: Work
    values: dict[str, Any]
    model: Run | None
    applying: bool


@dataclass(frozen=True, eq=False)
class ToolResult:
    """What came of it, and the model's mask if one had to be made."""

    run: ToolRun
    box: Box | None
    predicted: NDArray[np.uint8] | None


def computing(
    run: ToolRun, stop: Event, segment: Segment | None
) -> Generator[Step | Notice, None, ToolResult]:
    """Use a tool; the model, where it needs one, runs first and can be stopped.

    Parameters
    ----------
    run : ToolRun
        What was asked for.
    stop : threading.Event
        Stops the model after the window at hand.
    segment : callable or None
        Stands in for `workflows.segment.segment`.

    Yields
    ------
    Step or Notice

    Returns
    -------
    ToolResult
    """
    work, predicted = run.work, None
    if run.model is not None:
        finished = yield from running(run.model, stop, segment)
        predicted = as_codes(finished.layer.data)
        work = replace(work, other=predicted)
    return ToolResult(run, run.tool.run(work, **run.values), predicted)


def what_is_missing(tool: Tool, *, seed: bool, other: bool, images: bool, idle: bool) -> str:
    """Return what a tool needs and has not; empty if it can be used."""
    missing = {
        NO_PLACE: SEED in tool.needs and not seed,
        NO_OTHER: OTHER in tool.needs and not other,
        NO_IMAGE: IMAGES in tool.needs and not images,
        BUSY: MODEL in tool.needs and not idle,
    }
    return next((reason for reason, holds in missing.items() if holds), "")


def asked_of(run: Run) -> tuple[str, bool]:
    """Return what two runs on one patient must share to give the same mask."""
    return run.model, run.mirror


def change_text(box: Box, voxel_ml: float) -> str:
    """Return what comes and goes of each tissue, a line each."""
    lines = []
    for title, (came, went) in gained_and_lost_ml(box, voxel_ml).items():
        parts = [
            f"{sign}{_ml(volume)}" for sign, volume in (("+", came), ("\u2212", went)) if volume
        ]
        lines.append(f"{title} {' '.join(parts)} ml")
    return "\n".join(lines)


def _ml(volume: float) -> str:
    """Return a volume with two decimals, more for the very small."""
    return f"{volume:.2f}" if volume >= 0.01 else f"{volume:.2g}"
