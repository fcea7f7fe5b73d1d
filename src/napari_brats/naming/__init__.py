"""Recognize the patients of every BraTS edition by their file names.

`table` holds NAMINGS, `folder` sorts the files of one folder, `decathlon` and `nnunet` know
datasets with a ``dataset.json``, and `discover` finds one patient or all of a dataset.
"""

from napari_brats.naming.discover import find_patients, recognize, why_not_a_patient
from napari_brats.naming.files import Patient, PatientFiles, split_extension
from napari_brats.naming.table import MODALITIES, NAMINGS, REFERENCE, Naming

__all__ = [
    "MODALITIES",
    "NAMINGS",
    "REFERENCE",
    "Naming",
    "Patient",
    "PatientFiles",
    "find_patients",
    "recognize",
    "split_extension",
    "why_not_a_patient",
]
