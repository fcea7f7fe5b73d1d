"""A patient in memory: `Case` (what was read) and `Segmentation` (what will be saved).

Axis order, said once for the whole project: arrays are (X, Y, Z) in the file's own voxel
order inside the core, and (C, X, Y, Z) with channels first for stacks and tensors. Affines
are 4 x 4, float64, voxel index to patient millimeters in RAS+ (nibabel's convention).
"""

from napari_brats.case.loading import cautions, load_case, load_mask, require_modalities
from napari_brats.case.model import Case, Segmentation
from napari_brats.case.saving import is_source, save_segmentation, segmentation_of
from napari_brats.naming import MODALITIES

__all__ = [
    "MODALITIES",
    "Case",
    "Segmentation",
    "cautions",
    "is_source",
    "load_case",
    "load_mask",
    "require_modalities",
    "save_segmentation",
    "segmentation_of",
]
