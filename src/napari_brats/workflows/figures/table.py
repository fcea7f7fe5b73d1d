"""FIGURES and ANIMATIONS: every picture that can be made, and what each needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_brats.training.curves import plot_curves
from napari_brats.workflows.figures import cohort, patient
from napari_brats.workflows.figures.animation import rotation, sweep
from napari_brats.workflows.figures.canvas import new_figure
from napari_brats.workflows.figures.confusion import confusion

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from napari_brats.workflows.figures.options import Options
    from napari_brats.workflows.subject import Subject


@dataclass(frozen=True)
class PatientFigure:
    """A picture of one patient.

    Parameters
    ----------
    name : str
        Key and value on the command line.
    title : str
        What it shows.
    draw : Callable[[Subject, Options], Figure or bytes]
        Makes it; an animation as a GIF.
    reference : bool
        Whether it cannot do without a reference mask.
    several : bool
        Whether it shows more than one mask.
    """

    name: str
    title: str
    draw: "Callable[[Subject, Options], Figure | bytes]"
    reference: bool = False
    several: bool = False


@dataclass(frozen=True)
class CohortFigure:
    """A picture of one or more tables of scores, as ``evaluate --csv`` writes them.

    Parameters
    ----------
    name, title : str
        As of `PatientFigure`.
    draw : Callable
        Takes scores by method, and options.
    """

    name: str
    title: str
    draw: "Callable[[Mapping[str, cohort.Scores], Options], Figure]"


@dataclass(frozen=True)
class TrainingFigure:
    """A picture of a training's log.

    Parameters
    ----------
    name, title : str
        As of `PatientFigure`.
    draw : Callable
        Takes curves as `read_log` gives them.
    """

    name: str
    title: str
    draw: "Callable[[Mapping[str, NDArray[np.float64]]], Figure]"


def _curves(curves: "Mapping[str, NDArray[np.float64]]") -> "Figure":
    figure = new_figure(9, 3.6, dark=False)
    figure.set_layout_engine("constrained")
    plot_curves(figure, curves)
    return figure


FIGURES: Mapping[str, PatientFigure | CohortFigure | TrainingFigure] = {
    row.name: row
    for row in (
        PatientFigure(
            "overview", "the modalities and the masks on the most telling slice", patient.overview
        ),
        PatientFigure(
            "modalities", "every modality with mask and reference, in three planes",
            patient.modalities,
        ),
        PatientFigure(
            "difference", "prediction, reference and what differs, in three planes",
            patient.difference, reference=True,
        ),
        PatientFigure(
            "contours", "outlines of all masks and the reference, near the tumor",
            patient.contours, several=True,
        ),
        PatientFigure(
            "sheet", "slices chosen at random: modalities, masks, reference", patient.sheet,
            several=True,
        ),
        PatientFigure(
            "confusion", "which tissue is taken for which", confusion, reference=True
        ),
        CohortFigure(
            "bland-altman", "predicted against reference volumes, limits of agreement",
            cohort.bland_altman,
        ),
        CohortFigure("boxes", "scores of each region as box plots", cohort.boxes),
        CohortFigure("raincloud", "one score as density, box and cases", cohort.raincloud),
        TrainingFigure("curves", "loss and Dice over a training", _curves),
    )
}  # fmt: skip

ANIMATIONS: Mapping[str, PatientFigure] = {
    row.name: row
    for row in (
        PatientFigure("rotation", "reference and masks turning in space", rotation, several=True),
        PatientFigure("sweep", "through the slices from the feet to the head", sweep, several=True),
    )
}
