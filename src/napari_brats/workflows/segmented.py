"""`SegmentResult`: what segmenting one patient gave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, Segmentation
from napari_brats.metrics.scores import RegionScore

MIRRORED = "-mirrored"
STAGES = ("load", "preprocess", "network", "postprocess", "save", "total")


@dataclass(frozen=True)
class SegmentResult:
    """What a segmentation gave.

    Parameters
    ----------
    case : Case
        The patient.
    segmentation : Segmentation
        The predicted mask, in tissue codes on the patient's grid.
    probabilities : NDArray, shape (3, X, Y, Z), 0 to 1
        Of WT, TC, ET on the patient's grid.
    model : str
        Name of the weights; of several averaged, their names joined by ``+``.
    device, engine : str
        Where and with what the network ran.
    seconds : Mapping[str, float]
        Wall-clock time of each of `STAGES`.
    volumes_ml : Mapping[str, float]
        Predicted size of WT, TC, ET in milliliters.
    scores : Mapping[str, RegionScore] or None
        Against the reference, where the patient has one.
    output : Path or None
        The mask's file, where one was written.
    members : tuple of str
        Names of all weights that took part.
    mirrored : bool
        Whether the mean over left and right was taken.
    missing : tuple of str
        Modalities that the patient lacks and the weights did without.
    weights_sha256 : Mapping[str, str]
        Hash of each of `members`, as its card pins it.
    device_title : str
        The device and its number format, for people, e.g. ``"CPU, bfloat16"``.
    """

    case: Case
    segmentation: Segmentation
    probabilities: NDArray[np.floating]
    model: str
    device: str
    engine: str
    seconds: Mapping[str, float]
    volumes_ml: Mapping[str, float]
    scores: Mapping[str, RegionScore] | None
    output: Path | None
    members: tuple[str, ...] = ()
    mirrored: bool = False
    missing: tuple[str, ...] = ()
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    device_title: str = ""

    @property
    def maker(self) -> str:
        """What made the mask, for names of files and layers."""
        return maker_name(self.model, self.mirrored)

    def to_json(self) -> dict[str, object]:
        """Return what ``napari-brats segment --json`` prints."""
        from napari_brats import __version__

        return {
            "case": self.case.case_id,
            "model": self.model,
            "members": list(self.members),
            "weights_sha256": dict(self.weights_sha256),
            "software": f"napari-brats {__version__}",
            "mirrored": self.mirrored,
            "missing": list(self.missing),
            "device": self.device,
            "engine": self.engine,
            "output": None if self.output is None else str(self.output),
            "seconds": {stage: round(self.seconds[stage], 3) for stage in STAGES},
            "volumes_ml": dict(self.volumes_ml),
            "scores": None
            if self.scores is None
            else {name: {"dice": score.dice} for name, score in self.scores.items()},
        }


def maker_name(model: str, mirrored: bool) -> str:
    """Return what made a mask, for names of files and layers: the model and how it was used."""
    return f"{model}{MIRRORED}" if mirrored else model
