"""Preprocessing steps: each one changes a volume and knows the way back.

This is the list that recipes are built from; `geometry` and `intensity` hold the steps,
`ways` what they have in common.
"""

from napari_brats.preprocessing.geometry import (
    CropToBrain,
    FitInto,
    Reorient,
    Resample,
    ResizeTo,
    axis_directions,
    cut_box,
    left_right_axis,
    resize,
)
from napari_brats.preprocessing.intensity import ByteRange, MinMax, SlicePercentiles, ZScore
from napari_brats.preprocessing.ways import Affine, Array, Step, Transform, Way, chain
from napari_brats.volumes import spacing_of

__all__ = [
    "Affine",
    "Array",
    "ByteRange",
    "CropToBrain",
    "FitInto",
    "MinMax",
    "Reorient",
    "Resample",
    "ResizeTo",
    "SlicePercentiles",
    "Step",
    "Transform",
    "Way",
    "ZScore",
    "axis_directions",
    "chain",
    "cut_box",
    "left_right_axis",
    "resize",
    "spacing_of",
]
