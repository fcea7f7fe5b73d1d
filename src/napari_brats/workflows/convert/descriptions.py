"""Files beside a mask that tell other programs what its codes are called."""

from collections.abc import Callable, Mapping
from pathlib import Path

from napari_brats.regions import LabelConvention
from napari_brats.regions.descriptions import itksnap_labels, slicer_colors
from napari_brats.volumes import write_text_atomic
from napari_brats.workflows.convert.job import Job, read_mask_file, stem_of

DESCRIPTIONS: Mapping[str, Callable[[LabelConvention], str]] = {
    ".label": itksnap_labels,
    ".ctbl": slicer_colors,
}
"""What writes the text of a file with this ending."""


def to_itksnap_labels(job: Job) -> list[Path]:
    """Write a label description file for ITK-SNAP."""
    return [_describe(job, ".label")]


def to_slicer_colors(job: Job) -> list[Path]:
    """Write a color table for 3D Slicer."""
    return [_describe(job, ".ctbl")]


def write_descriptions(mask: Path, convention: LabelConvention) -> list[Path]:
    """Write all `DESCRIPTIONS` of a convention beside a saved mask, in place of older ones.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    written = []
    for ending, text in DESCRIPTIONS.items():
        path = mask.with_name(stem_of(mask) + ending)
        write_text_atomic(path, text(convention))
        written.append(path)
    return written


def _describe(job: Job, ending: str) -> Path:
    _, _, convention = read_mask_file(job.source, job.labels)
    target = job.target(stem_of(job.source) + ending, (ending, ".txt"))
    write_text_atomic(target, DESCRIPTIONS[ending](convention))
    return target
