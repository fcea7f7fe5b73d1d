"""Synthetic patients: brains with tumors whose truth is known voxel by voxel.

`anatomy` and `mni152` read healthy brains, `deformation` poses them, `kinds` and `tumor` let
tumors grow, `contrast`, `distractors` and `scanner` make images, `patient` joins all this, and
`files` writes it. The idea to train on images painted from label maps with random contrasts
is that of SynthSeg (Billot et al. 2023, doi:10.1016/j.media.2023.102789).
"""

from napari_brats.synthesis.anatomy import Anatomy, anatomy_from_labels, load_anatomy
from napari_brats.synthesis.files import write_patient
from napari_brats.synthesis.kinds import KINDS, Kind
from napari_brats.synthesis.mni152 import load_mni152
from napari_brats.synthesis.patient import SyntheticPatient, in_brats_frame, make_patient

__all__ = [
    "KINDS",
    "Anatomy",
    "Kind",
    "SyntheticPatient",
    "anatomy_from_labels",
    "in_brats_frame",
    "load_anatomy",
    "load_mni152",
    "make_patient",
    "write_patient",
]
