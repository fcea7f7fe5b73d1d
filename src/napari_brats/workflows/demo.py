"""The demonstration: a bundled patient, segmented with bundled weights."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from napari_brats.case import save_segmentation
from napari_brats.plugin.masks import mask_name
from napari_brats.samples import SAMPLES, sample_folder
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.figures import Options, save
from napari_brats.workflows.figures.patient import overview
from napari_brats.workflows.outputs import check_folder
from napari_brats.workflows.segment import segment
from napari_brats.workflows.segmented import SegmentResult
from napari_brats.workflows.subject import Subject

DEMO_FOLDER = "napari-brats-demo"


@dataclass(frozen=True)
class DemoFiles:
    """What the demonstration leaves behind: mask, picture, numbers."""

    mask: Path
    figure: Path
    result: Path


def demo_patient() -> Path:
    """Return the folder of the patient that the demonstration shows."""
    return sample_folder(next(iter(SAMPLES)))


def segment_demo(
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> SegmentResult:
    """Segment the bundled patient; nothing is written."""
    return segment(demo_patient(), on_step=on_step, on_notice=on_notice)


def write_demo(result: SegmentResult, folder: str | Path) -> DemoFiles:
    """Write the mask, a figure and the numbers of a segmentation.

    Parameters
    ----------
    result : SegmentResult
        From `segment_demo`.
    folder : str or Path
        Made if it lacks; files of an earlier demonstration in it are replaced.

    Returns
    -------
    DemoFiles

    Raises
    ------
    OutputError
        If they cannot be written there.
    """
    folder = Path(folder)
    check_folder(folder, "--output")
    case = result.case
    image = next(iter(case.image_paths.values()))
    name = mask_name(image, case.case_id, result.maker)
    start = time.perf_counter()
    mask = save_segmentation(result.segmentation, folder / name)
    seconds = time.perf_counter() - start
    subject = Subject(case, {result.maker: result.segmentation.tissues})
    name = f"{case.case_id}_{result.maker}_overview.png"
    figure = save(overview(subject, Options()), folder / name)
    times = {**result.seconds, "save": seconds, "total": result.seconds["total"] + seconds}
    saved = replace(result, output=mask, seconds=times)
    summary = folder / f"{case.case_id}_{result.maker}_result.json"
    write_json_atomic(summary, saved.to_json())
    return DemoFiles(mask, figure, summary)
