"""What the Scores dock computes beside the window: scores, and pictures of what is shown."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.metrics.case_scores import CaseScores, score_case
from napari_brats.metrics.tasks import TASKS, task_of
from napari_brats.plugin.layers import IMAGE_TITLES
from napari_brats.plugin.masks import results_folder
from napari_brats.plugin.tags import LayerTag
from napari_brats.regions import LABEL_CONVENTIONS
from napari_brats.volumes import spacing_of
from napari_brats.widgets.score_panel import Choice
from napari_brats.workflows.figures import PatientFigure


def scoring(
    tag: LayerTag, choice: Choice, voxels: list[NDArray[Any]]
) -> Generator[None, None, CaseScores]:
    """Score a mask against a reference, both as their layers hold them."""
    yield
    mask, reference = (_tissues(tag, one) for one in voxels)
    task = TASKS[choice.task] if choice.task else task_of(tag.convention)
    spacing = spacing_of(tag.display.affine)
    return score_case(mask, reference, spacing, task, hd95=choice.hd95)


def drawing(
    row: PatientFigure,
    tag: LayerTag,
    images: Mapping[str, NDArray[Any]],
    voxels: list[NDArray[Any]],
) -> Generator[None, None, Path]:
    """Draw a mask, and a reference if there is one, over the window's images, beside the patient.

    Parameters
    ----------
    row : PatientFigure
        What to draw.
    tag : LayerTag
        The mask's.
    images : Mapping[str, NDArray], displayed
        Of the patient, by their layers' titles. Where the window has none, they are read again.
    voxels : list of NDArray, displayed
        The mask, then the reference.

    Returns
    -------
    Path
        The picture.
    """
    from napari_brats.case import load_case
    from napari_brats.workflows.figures.making import draw_picture
    from napari_brats.workflows.figures.options import Options
    from napari_brats.workflows.subject import Subject

    yield
    mask, *others = (_tissues(tag, one) for one in voxels)
    if images:
        titles = {name: title for name, title in IMAGE_TITLES.items() if title in images}
        shown = {name: tag.display.to_file(images[title]) for name, title in titles.items()}
    else:
        shown = dict(load_case(tag.image, labels=tag.convention).images)
    case = Case(
        case_id=tag.case_id,
        naming="",
        convention=LABEL_CONVENTIONS[tag.convention],
        images=shown,
        affine=tag.display.affine,
        reference=others[0] if others else None,
        image_paths={},
        reference_path=None,
    )
    folder = results_folder(tag.image)
    return draw_picture(row, Subject(case, {tag.title: mask}), folder, Options())


def _tissues(tag: LayerTag, voxels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a layer's voxels (X, Y, Z); what is no tissue stays none, in any type."""
    tissues: NDArray[np.uint8] = np.clip(tag.display.to_file(voxels), 0, 255).astype(np.uint8)
    return tissues
