"""Pictures of patients and cohorts, drawn without a window.

`view` turns a patient for the eye and chooses slices, `canvas` draws on one, `patient`,
`confusion`, `cohort` and `animation` hold the pictures, `table` lists them.
"""

from napari_brats.workflows.figures.canvas import FORMATS, encode, save
from napari_brats.workflows.figures.options import Options
from napari_brats.workflows.figures.table import (
    ANIMATIONS,
    FIGURES,
    CohortFigure,
    PatientFigure,
    TrainingFigure,
)

__all__ = [
    "ANIMATIONS",
    "FIGURES",
    "FORMATS",
    "CohortFigure",
    "Options",
    "PatientFigure",
    "TrainingFigure",
    "encode",
    "save",
]
