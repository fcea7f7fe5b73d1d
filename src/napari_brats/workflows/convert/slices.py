"""PNG files, one for each axial slice: four modalities in four channels, or a mask's codes.

Slices stand upright: front up, the patient's right on the left. They are numbered from the
feet. The images are scaled to 8 bits as for DR-Unet104 (Colman et al. 2020,
arXiv:2011.02840), in its order of channels.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import load_case, require_modalities, save_segmentation, segmentation_of
from napari_brats.errors import CaseError
from napari_brats.naming import recognize
from napari_brats.plugin.display import Display, display_of
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.preprocessing.steps import ByteRange
from napari_brats.regions import decode_labels, label_convention
from napari_brats.volumes import new_folder, voxel_ml
from napari_brats.workflows.convert.job import Job, read_mask_file, stem_of
from napari_brats.workflows.convert.labels import encode_with_word

CHANNELS = RECIPES["dr_unet104"].modalities
_NUMBER = re.compile(r"(\d+)\.png", re.IGNORECASE)


def images_to_png(job: Job) -> list[Path]:
    """Write a patient's modalities as four-channel PNG slices."""
    case = load_case(job.source, labels=job.labels)
    require_modalities(case, CHANNELS, "a four-channel picture")
    stack = np.stack([case.images[name] for name in CHANNELS])
    scaled, _, _ = ByteRange().apply(stack, case.affine)
    levels = np.rint(scaled * 255).astype(np.uint8)
    display = display_of(case.affine, case.shape)
    turned = np.stack([display.to_display(channel) for channel in levels], axis=-1)
    return _write(job.target(f"{case.case_id}_png"), case.case_id, turned)


def mask_to_png(job: Job) -> list[Path]:
    """Write a mask's codes as gray PNG slices."""
    tissues, affine, convention = read_mask_file(job.source, job.labels)
    convention = label_convention(job.to) if job.to else convention
    codes = encode_with_word(job, tissues, convention, voxel_ml(affine))
    x, y, z = codes.shape
    turned = display_of(affine, (x, y, z)).to_display(codes)
    stem = stem_of(job.source)
    return _write(job.target(f"{stem}_png"), stem, turned)


def png_to_mask(job: Job) -> list[Path]:
    """Write PNG slices of codes as one mask on the grid of the patient they belong to."""
    if job.like is None:
        raise CaseError("PNG files have no grid; give the patient they belong to with --like")
    files = recognize(job.like)
    # The patient's own reference may be in other codes than these slices.
    case = load_case(replace(files, reference=None), labels=job.labels)
    display = display_of(case.affine, case.shape)
    codes = display.to_file(_read(job.source, display))
    tissues = decode_labels(codes, case.convention, source=repr(str(job.source)))
    target = job.target(f"{job.source.name}.nii.gz", (".nii.gz", ".nii", ".mha"))
    mask = segmentation_of(case, tissues)
    if files.reference is not None:
        mask = replace(mask, protected=(*mask.protected, files.reference))
    return [save_segmentation(mask, target, replace=job.may_replace)]


def _write(folder: Path, stem: str, slices: NDArray[np.uint8]) -> list[Path]:
    """Write (I, P, L) or (I, P, L, 4) as PNG files and return their paths."""
    from PIL import Image

    count = len(slices)
    digits = max(3, len(str(count - 1)))
    names = [f"{stem}_{number:0{digits}d}.png" for number in range(count)]
    with new_folder(folder) as place:
        for name, picture in zip(names, slices[::-1], strict=True):
            Image.fromarray(np.ascontiguousarray(picture)).save(place / name)
    return [folder / name for name in names]


def _read(folder: Path, display: Display) -> NDArray[np.uint8]:
    """Return the codes of a folder's slices, shape (I, P, L)."""
    count, rows, columns = display.display_shape
    files = _numbered(folder)
    missing = sorted(set(range(count)) - files.keys())
    extra = sorted(files.keys() - set(range(count)))
    if missing or extra:
        found = f"{len(files)} slices" + (f", without {missing[0]}" if missing else "")
        raise CaseError(
            f"{str(folder)!r} holds {found}{f', with {extra[0]}' if extra else ''}, expected "
            f"{count}, numbered from 0 at the feet; give the patient they were made from"
        )
    volume = np.empty((count, rows, columns), np.uint8)
    for number, path in files.items():
        volume[count - 1 - number] = _read_one(path, (rows, columns))
    return volume


def _numbered(folder: Path) -> Mapping[int, Path]:
    """Return the PNG files of a folder by the number that their name ends with."""
    if not folder.is_dir():
        raise CaseError(f"{str(folder)!r} is no folder; give the folder of PNG slices")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = None if path.name.startswith(".") else _NUMBER.search(path.name)
        if match and int(match[1]) in found:
            raise CaseError(
                f"{found[int(match[1])].name!r} and {path.name!r} are both slice {match[1]}; "
                "keep the slices of one patient in a folder"
            )
        if match:
            found[int(match[1])] = path
    return found


def _read_one(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            mode, pixels = picture.mode, np.asarray(picture)
    except (OSError, UnidentifiedImageError) as error:
        raise CaseError(f"cannot read {str(path)!r}: {error}; write it again") from error
    if mode not in ("L", "P") or pixels.shape != shape:
        raise CaseError(
            f"{str(path)!r} is a {mode!r} picture of {pixels.shape} pixels, expected 8-bit gray "
            f"codes of {shape}; give the slices of a mask"
        )
    return pixels.astype(np.uint8)
