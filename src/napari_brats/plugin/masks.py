"""Masks that lie beside a patient: what they are called, and reading them."""

import glob
import os
import re
from itertools import accumulate, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, load_mask
from napari_brats.naming import split_extension
from napari_brats.naming.decathlon import IMAGE_FOLDERS
from napari_brats.naming.folder import NESTED_PREFIX, patients_in
from napari_brats.volumes import Volume, require_same_grid

_NAME = re.compile(r"(?P<maker>.+)_mask(-\d+)?(\.nii\.gz|\.nii|\.mha)", re.IGNORECASE)


def results_folder(image: Path) -> Path:
    """Return where a patient's results go: the patient's folder, or beside ``imagesTr``."""
    folder = image.parent
    shared = folder.name in IMAGE_FOLDERS
    return folder.parent if shared or folder.name.lower().startswith(NESTED_PREFIX) else folder


def mask_name(image: Path, case_id: str, maker: str, number: int = 1) -> str:
    """Return a mask's file name: ``<case>_<maker>_mask.nii.gz``, ``..._mask-2.nii.gz`` and so on.

    No row of `NAMINGS` knows the ending ``_mask``, so that the file is never read back as
    an image or a reference.

    Parameters
    ----------
    image : Path
        An image of the patient; MetaImage patients get MetaImage masks.
    case_id : str
        The patient.
    maker : str
        Model or reader; characters that file systems dislike become hyphens.
    number : int
        From 2 on it is written into the name.
    """
    extension = ".mha" if image.suffix.lower() == ".mha" else ".nii.gz"
    safe = re.sub(r"[^A-Za-z0-9._+]+", "-", maker).strip("-") or "mask"
    return f"{case_id}_{safe}_mask{f'-{number}' * (number > 1)}{extension}"


def mask_path(image: Path, case_id: str, maker: str, *, folder: Path | None = None) -> Path:
    """Return where a new mask is saved: the first numbered name that is free.

    An older mask is never replaced by default: somebody may have corrected it. ``folder``
    is `results_folder` unless another is given.
    """
    folder = folder or results_folder(image)
    names = (mask_name(image, case_id, maker, number) for number in count(1))
    return next(folder / name for name in names if not os.path.lexists(folder / name))


def is_saved_mask(path: Path) -> bool:
    """Return whether a file is named like a mask of ours."""
    return not path.name.startswith(".") and _NAME.fullmatch(path.name) is not None


def saved_masks(source: Path, case_id: str) -> list[Path]:
    """Return the saved masks of a patient, the newest first.

    Parameters
    ----------
    source : Path
        An image of the patient.
    case_id : str
        The patient.
    """
    found = [
        (path.stat().st_mtime, path)
        for path in results_folder(source).glob(f"{glob.escape(case_id)}_*_mask*")
        if is_saved_mask(path) and not _is_of_another(path, case_id, source.parent)
    ]
    return [path for _, path in sorted(found, key=lambda entry: (-entry[0], entry[1].name))]


def _is_of_another(mask: Path, case_id: str, images: Path) -> bool:
    """Return whether a mask is that of ``A_2``, whose images lie beside those of ``A``."""
    words = mask.name.removeprefix(f"{case_id}_").split("_")[:-2]
    longer = {f"{case_id}_{part}" for part in accumulate(words, "{}_{}".format)}
    # Most folders hold one patient: all of it is read only where there is a sign of another.
    signs = (path for name in longer for path in images.glob(f"{glob.escape(name)}*"))
    if all(map(is_saved_mask, signs)):
        return False
    return any(patient.case_id in longer for patient in patients_in(images))


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is written anew, None where there is none.

    Its time of change in nanoseconds, and its size in bytes.
    """
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


def untouched_path(mask: Path) -> Path:
    """Return where a mask is kept as it was before anybody corrected it: a hidden file beside it.

    No reader of folders looks at hidden files, so it is never taken for a mask of its own.
    """
    parts = split_extension(mask.name)
    stem, extension = parts or (mask.stem, mask.suffix)
    return mask.with_name(f".{stem}.untouched{extension}")


def mask_title(path: Path, case_id: str) -> str:
    """Return what made a saved mask, from its file name."""
    match = _NAME.fullmatch(path.name)
    return match["maker"].removeprefix(f"{case_id}_") if match else path.stem


def read_mask(path: Path, case: Case) -> NDArray[np.uint8]:
    """Read a saved mask and check that it lies on its patient's grid.

    Parameters
    ----------
    path : Path
        Mask in the case's label convention.
    case : Case
        The patient.

    Returns
    -------
    NDArray[np.uint8]
        (X, Y, Z) `Tissue` codes.

    Raises
    ------
    CaseError
        If grid or place differ from the patient's images; the message names the number.
    """
    tissues, affine = load_mask(path, case.convention)
    modality, image = next(iter(case.images.items()))
    require_same_grid(
        Volume(image, case.affine, case.image_paths[modality]), Volume(tissues, affine, path)
    )
    return tissues
