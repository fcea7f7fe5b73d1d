"""Medical Segmentation Decathlon, Task01: one 4D file a patient, told by ``dataset.json``."""

import json
import os
import re
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.naming.files import PatientFiles, split_extension
from napari_brats.naming.table import MODALITIES

NAMING = "msd-task01"
CONVENTION = "msd"

IMAGE_FOLDERS = ("imagesTr", "imagesTs")
LABEL_FOLDER = "labelsTr"
_MODALITY_OF = {
    "flair": "flair",
    "t2f": "flair",
    "t1": "t1",
    "t1w": "t1",
    "t1n": "t1",
    "t1gd": "t1ce",
    "t1ce": "t1ce",
    "t1c": "t1ce",
    "t2": "t2",
    "t2w": "t2",
}
_TASK01_NAME = re.compile(r"BRATS_\d+")
_TASK01_ORDER = {"flair": 0, "t1": 1, "t1ce": 2, "t2": 3}


def decathlon_patient(image: Path) -> PatientFiles | None:
    """Return the patient of one file in ``imagesTr``, ``imagesTs`` or ``labelsTr``.

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
    root = image.parent.parent
    if image.parent.name == LABEL_FOLDER:
        image = root / IMAGE_FOLDERS[0] / image.name
    parts = split_extension(image.name)
    if parts is None or image.parent.name not in IMAGE_FOLDERS or not os.path.isfile(image):
        return None
    channels, notes = _channels(root / "dataset.json", parts[0])
    if not channels:
        return None
    reference = root / LABEL_FOLDER / image.name
    has_reference = image.parent.name == IMAGE_FOLDERS[0] and os.path.isfile(reference)
    return PatientFiles(
        case_id=parts[0],
        folder=image.parent,
        naming=NAMING,
        convention_name=CONVENTION,
        images=dict.fromkeys(channels, image),
        channels=channels,
        reference=reference if has_reference else None,
        notes=notes,
    )


def _channels(description: Path, case_id: str) -> tuple[dict[str, int | None], tuple[str, ...]]:
    """Return the channel of each modality, empty if this is not a brain tumor dataset."""
    if not os.path.isfile(description):
        if not _TASK01_NAME.fullmatch(case_id):
            return {}, ()
        note = f"no dataset.json beside {case_id!r}: channels taken as FLAIR, T1w, t1gd, T2w"
        return {name: _TASK01_ORDER[name] for name in MODALITIES}, (note,)
    try:
        names = json.loads(description.read_text(encoding="utf-8"))["modality"]
        found = {
            _MODALITY_OF[str(name).lower()]: int(index)
            for index, name in names.items()
            if str(name).lower() in _MODALITY_OF
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CaseError(
            f"{str(description)!r} cannot be read as a Decathlon description ({error!r}); "
            'expected JSON with "modality": {"0": "FLAIR", ...}; copy it from the dataset again'
        ) from error
    return {name: found[name] for name in MODALITIES if name in found}, ()
