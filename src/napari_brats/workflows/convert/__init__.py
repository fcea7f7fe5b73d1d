"""Patients and masks in other programs' formats, and back.

`table` lists what can be converted, `slices` makes PNG files, `arrays` NumPy and ImageJ,
`meshes` surfaces, `labels` other editions' codes, `descriptions` what codes are called; `job` is
what they share.
"""

from napari_brats.workflows.convert.job import FRAMES, MESH_FORMATS, Job
from napari_brats.workflows.convert.table import CONVERSIONS, Conversion, conversions_with, convert

__all__ = [
    "CONVERSIONS",
    "FRAMES",
    "MESH_FORMATS",
    "Conversion",
    "Job",
    "conversions_with",
    "convert",
]
