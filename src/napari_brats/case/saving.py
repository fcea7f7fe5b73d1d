"""Save a mask in its patient's geometry and codes, and never over a source file."""

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case.model import Case, Segmentation
from napari_brats.errors import CaseError, OutputError
from napari_brats.naming import recognize
from napari_brats.regions import encode_labels
from napari_brats.volumes import write_mask


def segmentation_of(case: Case, tissues: NDArray[np.uint8]) -> Segmentation:
    """Return a mask of a case, ready to be saved.

    Parameters
    ----------
    case : Case
        The patient.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes on the case's grid.

    Returns
    -------
    Segmentation
        It takes the header of the first modality and protects all files of the case.
    """
    if tissues.shape != case.shape:
        raise ValueError(f"a mask of shape {tissues.shape} is not on the grid {case.shape}")
    paths = list(dict.fromkeys(case.image_paths.values()))
    return Segmentation(
        case_id=case.case_id,
        tissues=tissues,
        affine=case.affine,
        convention=case.convention,
        source=paths[0],
        protected=(*paths, *([case.reference_path] if case.reference_path else [])),
    )


def save_segmentation(
    segmentation: Segmentation, path: str | Path, *, replace: bool = True
) -> Path:
    """Write a mask on its patient's grid, in its convention's codes, whole or not at all.

    Parameters
    ----------
    segmentation : Segmentation
        The mask.
    path : str or Path
        ``.nii.gz``, ``.nii`` or ``.mha``; never a file of the patient itself.
    replace : bool
        False: an older mask stays.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the path is a source file or cannot be written; nothing is lost then.
    TakenError
        If there is a file and ``replace`` is False.
    LabelError
        If a tissue has no code in the convention.
    """
    path = Path(path)
    if is_source(path, (segmentation.source, *segmentation.protected)):
        raise OutputError(
            f"{str(path)!r} is a source file, which is never overwritten; choose another name"
        )
    return write_mask(
        path,
        encode_labels(segmentation.tissues, segmentation.convention),
        segmentation.affine,
        segmentation.source,
        convention=segmentation.convention.name,
        replace=replace,
    )


def is_source(path: Path, sources: Collection[Path]) -> bool:
    """Return whether writing to a path would replace what a patient's data consist of.

    Parameters
    ----------
    path : Path
        File to be written.
    sources : Collection[Path]
        Files of the patient whose mask it is.

    Returns
    -------
    bool
        True for the sources, the images of any patient and the reference of another. A mask
        of the patient's own that is merely named like a reference can be saved again.
    """
    if any(_same_file(path, source) for source in sources):
        return True
    if not os.path.isfile(path):
        return False
    # A link counts by its own name and by that of the file it leads to.
    names = {Path(os.path.abspath(path)), Path(os.path.realpath(path))}
    return any(_belongs_to_a_patient(name, sources) for name in names)


def _belongs_to_a_patient(path: Path, sources: Collection[Path]) -> bool:
    try:
        owner = recognize(path).images.values()
    except CaseError:
        return False
    own = any(_same_file(image, source) for image in owner for source in sources)
    return not own or any(_same_file(path, image) for image in owner)


def _same_file(first: Path, second: Path) -> bool:
    """Return whether two paths are one file, through links of any kind."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return os.path.realpath(first) == os.path.realpath(second)
