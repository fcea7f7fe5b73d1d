"""Write a synthetic patient as an edition of BraTS would: naming, grid, codes."""

import re
from pathlib import Path

import numpy as np

from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, REFERENCE, Naming
from napari_brats.regions import encode_labels, label_convention
from napari_brats.synthesis.patient import SyntheticPatient, in_brats_frame
from napari_brats.volumes import new_folder, write_image

_HIGHEST = 32767


def naming_of(case_id: str) -> Naming:
    """Return the row of `NAMINGS` that an id belongs to.

    Raises
    ------
    CaseError
        If no edition that holds all four modalities writes ids like this.
    """
    rows = [
        row
        for row in NAMINGS.values()
        if row.case and len(row.modalities) == 4 and re.fullmatch(row.case, case_id)
    ]
    if not rows or not re.fullmatch(r"[\w-]+", case_id):
        raise CaseError(
            f"{case_id!r} is no patient's id; use one like 'BraTS2021_90001' or "
            "'BraTS-GLI-90002-000'"
        )
    return rows[0]


def write_patient(patient: SyntheticPatient, folder: Path, case_id: str) -> Path:
    """Write a patient in BraTS geometry, whole or not at all; the same one gives the same bytes.

    Parameters
    ----------
    patient : SyntheticPatient
        Of 1 mm voxels.
    folder : Path
        Where the patient's own folder is made.
    case_id : str
        Decides naming and label codes, e.g. ``"BraTS2021_90001"``.

    Returns
    -------
    Path
        The patient's folder.

    Raises
    ------
    CaseError
        If the id belongs to no edition.
    OutputError
        If it cannot be written, or there is a folder with something in it already.
    """
    naming = naming_of(case_id)
    target = folder / case_id
    framed = in_brats_frame(patient)
    codes = encode_labels(framed.tissues, label_convention(naming.convention))
    with new_folder(target) as place:
        for modality, image in framed.images.items():
            # Rounding must not turn a dark voxel of the brain into background.
            voxels = np.clip(np.rint(image), image > 0, _HIGHEST).astype(np.int16)
            name = naming.file_name(case_id, modality, ".nii.gz")
            write_image(place / name, voxels, framed.affine)
        name = naming.file_name(case_id, REFERENCE, ".nii.gz")
        write_image(place / name, codes.astype(np.int16), framed.affine)
    return target
