"""NumPy arrays of one size for training programs, and ImageJ's TIFF."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import MODALITIES, Case, load_case
from napari_brats.plugin.display import display_of
from napari_brats.plugin.masks import read_mask
from napari_brats.preprocessing.steps import FitInto
from napari_brats.volumes import new_folder, write_bytes_atomic
from napari_brats.workflows.convert.job import Job
from napari_brats.workflows.convert.labels import encode_with_word


def to_npy(job: Job) -> list[Path]:
    """Write images.npy, mask.npy and box.json: the middle of the volume, cut or padded.

    ``images`` is float32 (C, X, Y, Z) with the file's intensities, ``mask`` uint8 (X, Y, Z)
    in the codes of the patient's edition, ``box`` what leads back: for each axis the voxel
    of the file at which the array begins, negative where it is padded.
    """
    case = _case(job)
    stack = np.stack([case.images[name] for name in case.images])
    fit = FitInto(job.crop)
    images, affine, way = fit.apply(stack, case.affine)
    for note in way.notes:
        job.on_notice(note)
    starts = [(size - wanted) // 2 for size, wanted in zip(case.shape, job.crop, strict=True)]
    facts: dict[str, Any] = {
        "case": case.case_id,
        "channels": list(case.images),
        "start": starts,
        "shape": list(job.crop),
        "source_shape": list(case.shape),
        "affine": affine.tolist(),
        "labels": case.convention.name,
        "codes": {str(code): tissue.name.lower() for code, tissue in case.convention.codes.items()},
    }
    folder = job.target(f"{case.case_id}_npy")
    with new_folder(folder) as place:
        np.save(place / "images.npy", images)
        if case.reference is not None:
            codes, _, _ = fit.apply(_codes(case, job)[None].astype(np.float32), case.affine)
            np.save(place / "mask.npy", codes[0].astype(np.uint8))
        (place / "box.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return sorted(folder.iterdir())


def to_imagej(job: Job) -> list[Path]:
    """Write an ImageJ hyperstack: a channel for each modality, the mask's codes as the last.

    Slices stand upright and run from the feet to the head; the voxel size is in mm.
    """
    from tifffile import imwrite

    case = _case(job)
    display = display_of(case.affine, case.shape)
    names = [name for name in MODALITIES if name in case.images]
    channels = [display.to_display(case.images[name]) for name in names]
    if case.reference is not None:
        names.append(f"mask ({case.convention.name})")
        channels.append(display.to_display(_codes(case, job)).astype(np.float32))
    stack = np.stack(channels, axis=1)[::-1]
    depth, height, width = display.scale
    content = BytesIO()
    imwrite(
        content,
        np.ascontiguousarray(stack, np.float32),
        imagej=True,
        resolution=(1 / width, 1 / height),
        metadata={
            "axes": "ZCYX", "spacing": depth, "unit": "mm", "mode": "grayscale",
            "Labels": names * len(stack),
        },
    )  # fmt: skip
    target = job.target(f"{case.case_id}.tif", (".tif", ".tiff"))
    return [write_bytes_atomic(target, content.getvalue())]


def _case(job: Job) -> Case:
    """Return the patient, with the mask that was asked for in place of the reference."""
    case = load_case(job.source, labels=job.labels)
    return case if job.mask is None else replace(case, reference=read_mask(job.mask, case))


def _codes(case: Case, job: Job) -> NDArray[np.uint8]:
    assert case.reference is not None
    return encode_with_word(job, case.reference, case.convention, case.voxel_ml)
