"""Medical Segmentation Decathlon, Task01: one 4D file a patient, told by ``dataset.json``."""

import os
import re
from collections.abc import Mapping
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

NAMING = "msd-task01"
CONVENTION = "msd"

_TASK01_NAME = re.compile(r"BRATS_\d+")
_TASK01_ORDER = {"flair": 0, "t1": 1, "t1ce": 2, "t2": 3}


def decathlon_patient(image: Path) -> PatientFiles | None:
    """Return the patient of one file in the folders of images or labels.

    Parameters
    ----------
    image : Path
        A volume; a label file stands for the image of the same name.

    Returns
    -------
    PatientFiles or None
        None where the file does not belong to such a dataset.

    Raises
    ------
    CaseError
        If ``dataset.json`` is there but cannot be read.
    """
    root = dataset_of(image)
    if image.parent.name in LABEL_FOLDERS:
        image = beside(image.parent, "images") / image.name
    parts = split_extension(image.name)
    if (
        root is None
        or parts is None
        or image.parent.name not in IMAGE_FOLDERS
        or not os.path.isfile(image)
    ):
        return None
    channels, notes = _channels(root, parts[0])
    if not channels:
        return None
    reference = beside(image.parent, "labels") / image.name
    return PatientFiles(
        case_id=parts[0],
        folder=image.parent,
        naming=NAMING,
        convention_name=CONVENTION,
        images=dict.fromkeys(channels, image),
        channels=channels,
        reference=reference if os.path.isfile(reference) else None,
        notes=notes,
    )


def _channels(root: Path, case_id: str) -> tuple[Mapping[str, int | None], tuple[str, ...]]:
    """Return the channel of each modality, empty if this is not a brain tumor dataset."""
    description = described(root)
    if description is not None:
        found = description.channels
        return {name: found[name] for name in MODALITIES if name in found}, ()
    if not _TASK01_NAME.fullmatch(case_id):
        return {}, ()
    note = f"no dataset.json beside {case_id!r}: channels taken as FLAIR, T1w, t1gd, T2w"
    return {name: _TASK01_ORDER[name] for name in MODALITIES}, (note,)
