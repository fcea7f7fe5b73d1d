"""A mask in another edition's codes, with a word about every class that gets lost."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import LabelError
from napari_brats.metrics.overlap import tissue_counts
from napari_brats.regions import (
    LABEL_CONVENTIONS,
    TISSUE_TITLES,
    LabelConvention,
    Tissue,
    encode_labels,
    label_convention,
)
from napari_brats.volumes import voxel_ml, write_mask
from napari_brats.workflows.convert.job import Job, read_mask_file, stem_of


def relabel(job: Job) -> list[Path]:
    """Write a mask in the codes of another convention."""
    if job.to is None:
        raise LabelError(
            "which codes to write is not said; choose with --to one of "
            f"{', '.join(LABEL_CONVENTIONS)}"
        )
    tissues, affine, _ = read_mask_file(job.source, job.labels)
    convention = label_convention(job.to)
    codes = encode_with_word(job, tissues, convention, voxel_ml(affine))
    kinds = (".nii.gz", ".nii", ".mha")
    ending = ".mha" if job.source.suffix.lower() == ".mha" else ".nii.gz"
    target = job.target(f"{stem_of(job.source)}_{job.to}{ending}", kinds)
    return [
        write_mask(
            target, codes, affine, job.source, convention=convention.name, replace=job.may_replace
        )
    ]


def encode_with_word(
    job: Job, tissues: NDArray[np.uint8], convention: LabelConvention, ml_a_voxel: float
) -> NDArray[np.uint8]:
    """Return the codes (X, Y, Z) of a mask, after a notice of every class that gets lost."""
    for line in losses(tissues, convention, ml_a_voxel):
        job.on_notice(line)
    return encode_labels(tissues, convention)


def losses(tissues: NDArray[np.uint8], convention: LabelConvention, ml_a_voxel: float) -> list[str]:
    """Say which tissues of a mask a convention cannot keep apart.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    convention : LabelConvention
        To be written.
    ml_a_voxel : float
        Volume of a voxel.

    Returns
    -------
    list of str
        One line for each tissue that becomes another or is dropped.
    """
    counts = tissue_counts(tissues)
    lines = []
    for tissue, into in convention.merges.items():
        if counts[tissue]:
            fate = (
                "is dropped"
                if into is Tissue.BACKGROUND
                else f"becomes {TISSUE_TITLES[into]} and cannot be told apart again"
            )
            volume = float(counts[tissue]) * ml_a_voxel
            lines.append(
                f"{convention.name!r} has no code for {TISSUE_TITLES[tissue]}: "
                f"{volume:.1f} ml {fate}"
            )
    return lines
