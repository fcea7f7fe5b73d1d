"""Masks that lie beside a patient: what they are called, and reading them."""

import glob
import os
import re
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, load_mask
from napari_brats.naming import split_extension
from napari_brats.naming.description import IMAGE_FOLDERS
from napari_brats.naming.folder import NESTED_PREFIX, longer_ids
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
        The patient. Masks of another one in the folder whose id begins with this one are left
        out, and so are links that lead nowhere.
    """
    prefix = f"{case_id}_"
    named = results_folder(source).glob(f"{glob.escape(prefix)}*_mask*")
    found = {path: stamp for path in named if is_saved_mask(path) and (stamp := stamp_of(path))}
    if any("_" in mask_title(path, case_id) for path in found):
        others = tuple(f"{one}_" for one in longer_ids(source.parent, case_id))
        found = {path: stamp for path, stamp in found.items() if not path.name.startswith(others)}
    return sorted(found, key=lambda path: (-found[path][0], path.name))


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
    if match:
        return match["maker"].removeprefix(f"{case_id}_")
    return (split_extension(path.name) or (path.stem, ""))[0]


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
