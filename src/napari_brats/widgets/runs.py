"""One segmentation: what it was asked for, and where its result belongs."""

import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from napari_brats.case import Case
from napari_brats.errors import Cancelled
from napari_brats.plugin.layers import mask_layer
from napari_brats.widgets.doubt import KEY, Doubt
from napari_brats.widgets.long_lived import set_aside
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.origins import keep_origin
from napari_brats.widgets.steps import Notice, OnNotice, OnStep, Step, stepping
from napari_brats.widgets.torch_loading import link_torch

Segment = Callable[..., Any]


@dataclass(frozen=True)
class Run:
    """What was asked for.

    Parameters
    ----------
    patient : Case or Path
        The loaded patient, or one of its files.
    model, device : str
        As in `workflows.segment.segment`.
    view_convention : str
        How the patient is shown.
    mirror : bool
        As in `workflows.segment.segment`.
    """

    patient: Case | Path
    model: str
    device: str
    view_convention: str
    mirror: bool = False


@dataclass(frozen=True)
class Finished:
    """The mask as a napari layer; its tag says whose it is."""

    case_id: str
    layer: Any
    device: str
    seconds: float


def default_segment() -> Segment:
    """Return `workflows.segment.segment`, imported when the first run starts."""
    linked_before = "torch" in sys.modules
    link_torch()
    from napari_brats.inference import predictor  # noqa: F401  # brings torch
    from napari_brats.workflows.segment import segment

    if not linked_before:
        set_aside(collect=False)
    return segment


def running(
    run: Run, stop: Event, segment: Segment | None = None
) -> Generator[Step | Notice, None, Finished]:
    """Segment a patient and build the layer of the result.

    Parameters
    ----------
    run : Run
        What to do.
    stop : threading.Event
        Stops the run after the window at hand; set later, even at the very end, nothing is kept.
    segment : callable, optional
        Stands in for `workflows.segment.segment`.

    Yields
    ------
    Step or Notice

    Returns
    -------
    Finished

    Raises
    ------
    Cancelled
        If it was stopped.
    """

    def call(on_step: OnStep, on_notice: OnNotice) -> Any:
        return (segment or default_segment())(
            run.patient,
            model=run.model,
            device=run.device,
            mirror=run.mirror,
            on_step=on_step,
            on_notice=on_notice,
        )

    result = yield from stepping(call, stop)
    finished = Finished(
        case_id=result.case.case_id,
        layer=result_layer(result, run.view_convention),
        device=result.device_title,
        seconds=float(result.seconds["total"]),
    )
    if stop.is_set():
        raise Cancelled("stopped; nothing was changed")
    return finished


def result_layer(result: Any, view_convention: str) -> Any:
    """Return the mask of a segmentation as a napari layer that knows where the model was unsure."""
    tissues = result.segmentation.tissues
    layer = build_layer(mask_layer(result.case, tissues, result.maker, view_convention))
    layer.metadata = {**layer.metadata, KEY: Doubt.of(result.probabilities)}
    keep_origin(layer)  # while no one waits for it
    return layer
