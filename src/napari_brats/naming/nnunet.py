"""nnU-Net's raw datasets: one file a channel, ``<case>_0000``, told by ``dataset.json``."""

import os
import re
from pathlib import Path

from napari_brats.naming.description import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    beside,
    dataset_of,
    described,
)
from napari_brats.naming.files import PatientFiles, split_extension
from napari_brats.naming.table import MODALITIES

NAMING = "nnunet"
CONVENTION = "msd"
"""Codes of nnU-Net's own conversion of BraTS, where ``dataset.json`` does not tell."""

_CHANNEL = re.compile(r"(?P<case>.+)_(?P<number>\d{4})")


def nnunet_patient(path: Path) -> PatientFiles | None:
    """Return the patient of one file in the folders of images or labels.

    Parameters
    ----------
    path : Path
        A channel's volume, or the labels of a case.

    Returns
    -------
    PatientFiles or None
        None where the file does not belong to such a dataset.

    Raises
    ------
    CaseError
        If ``dataset.json`` is there but cannot be read.
    """
    root, parts = dataset_of(path), split_extension(path.name)
    if root is None or parts is None:
        return None
    stem, extension = parts
    if path.parent.name in LABEL_FOLDERS:
        case_id, folder = stem, beside(path.parent, "images")
    elif (match := _CHANNEL.fullmatch(stem)) and path.parent.name in IMAGE_FOLDERS:
        case_id, folder = match["case"], path.parent
    else:
        return None
    return _patient(root, folder, case_id, extension)


def _patient(root: Path, folder: Path, case_id: str, extension: str) -> PatientFiles | None:
    if not os.path.isfile(folder / f"{case_id}_0000{extension}"):
        return None
    description = described(root)
    if description is None or not description.channels:
        return None
    places = {
        name: folder / f"{case_id}_{description.channels[name]:04d}{extension}"
        for name in MODALITIES
        if name in description.channels
    }
    images = {name: path for name, path in places.items() if os.path.isfile(path)}
    notes = [
        f"no {name}: looked for {path.name!r}"
        for name, path in places.items()
        if name not in images
    ]
    if description.convention_name is None:
        notes.append(
            "the labels of dataset.json are those of no edition: taken as 1 edema, 2 necrosis, "
            "3 enhancing tumor"
        )
    reference = beside(folder, "labels") / f"{case_id}{extension}"
    return PatientFiles(
        case_id=case_id,
        folder=folder,
        naming=NAMING,
        convention_name=description.convention_name or CONVENTION,
        images=images,
        channels=dict.fromkeys(images),
        reference=reference if os.path.isfile(reference) else None,
        notes=tuple(notes),
    )
