"""Segment one patient: load, predict, score, save."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import (
    Case,
    Segmentation,
    load_case,
    require_modalities,
    save_segmentation,
    segmentation_of,
)
from napari_brats.errors import OutputError
from napari_brats.metrics.overlap import joint_counts, tissue_counts
from napari_brats.metrics.scores import RegionScore, region_volumes, score_regions
from napari_brats.naming import recognize
from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.volumes import write_probabilities
from napari_brats.workflows.outputs import check_target, resolve_output, save_new

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
        Name of the weights.
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

    def to_json(self) -> dict[str, object]:
        """Return what ``napari-brats segment --json`` prints."""
        return {
            "case": self.case.case_id,
            "model": self.model,
            "device": self.device,
            "engine": self.engine,
            "output": None if self.output is None else str(self.output),
            "seconds": {stage: round(self.seconds[stage], 3) for stage in STAGES},
            "volumes_ml": dict(self.volumes_ml),
            "scores": None
            if self.scores is None
            else {name: {"dice": score.dice} for name, score in self.scores.items()},
        }


def segment(
    patient: str | Path | Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    engine: str = "auto",
    precision: str = "auto",
    output: str | Path | None = None,
    probabilities: str | Path | None = None,
    labels: str | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> SegmentResult:
    """Find the tumor in one patient.

    Parameters
    ----------
    patient : str, Path or Case
        A patient's folder, one of its files, or a loaded case.
    model : str or Path
        Name of bundled weights, or a ``.safetensors`` file with its card beside it.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ... or ``"mps"``.
    engine : str
        ``"auto"``, ``"openvino"`` (CPUs) or ``"torch"``.
    precision : str
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    output : str or Path, optional
        File to write the mask to, or an existing folder for a file with the default name
        (numbered rather than replaced). Nothing is written by default.
    probabilities : str or Path, optional
        NIfTI file for the probabilities, (X, Y, Z, 3) with WT, TC, ET.
    labels : str, optional
        Label convention of the reference and of the mask to write. A loaded case keeps the
        convention it was loaded with.
    on_step : callable, optional
        Called as ``on_step(done, total)`` after each window; what it raises stops the work.
    on_notice : callable, optional
        Takes one line about anything done otherwise than asked for.

    Returns
    -------
    SegmentResult

    Raises
    ------
    BratsError
        One of its kin; the message says what to do. No file is left half-written.
    """
    start = time.perf_counter()
    say = on_notice or _ignore
    card = read_card(model)
    case = _load(patient, labels, card)
    loaded = time.perf_counter()
    for note in case.notes:
        say(note)
    target = _target(output, probabilities, case, card.name)
    # Torch is loaded here, when all that can be refused without it has been looked at.
    from napari_brats.inference.predictor import Predictor

    predictor = Predictor.load(model, device=device, precision=precision, engine=engine)
    prediction = predictor.predict(case, on_step=on_step, on_notice=say)
    segmentation = segmentation_of(case, prediction.tissues)
    save_start = time.perf_counter()
    target = _save_mask(segmentation, output, target, case, card.name)
    _save_probabilities(prediction.probabilities, probabilities, segmentation, target)
    done = time.perf_counter()
    volumes_ml, scores = _measure(case, prediction.tissues)
    return SegmentResult(
        case=case,
        segmentation=segmentation,
        probabilities=prediction.probabilities,
        model=card.name,
        device=prediction.device.torch_name,
        engine=prediction.engine,
        seconds={
            **prediction.seconds,
            "load": loaded - start,
            "save": done - save_start,
            "total": time.perf_counter() - start,
        },
        volumes_ml=volumes_ml,
        scores=scores,
        output=target,
    )


def _load(patient: str | Path | Case, labels: str | None, card: Card) -> Case:
    """Return the case; a modality that the weights need and files lack costs no reading."""
    files = patient if isinstance(patient, Case) else recognize(patient)
    require_modalities(files, card.modalities, f"model {card.name!r}")
    return patient if isinstance(patient, Case) else load_case(patient, labels=labels)


def _target(
    output: str | Path | None, probabilities: str | Path | None, case: Case, model: str
) -> Path | None:
    """Return the mask's file; refuse what could not be written before anything is computed."""
    target = None if output is None else resolve_output(Path(output), case, model)
    if probabilities is not None:
        check_target(Path(probabilities), case, (".nii.gz", ".nii"), "--probabilities")
        if target is not None and os.path.realpath(target) == os.path.realpath(probabilities):
            raise OutputError(
                f"{str(target)!r} cannot hold both the mask and the probabilities; give different "
                "files with --output and --probabilities"
            )
    return target


def _save_mask(
    segmentation: Segmentation,
    output: str | Path | None,
    target: Path | None,
    case: Case,
    model: str,
) -> Path | None:
    """Write the mask where wanted and return its file: under a free name if a folder was given."""
    if output is not None and os.path.isdir(output):
        return save_new(segmentation, Path(output), case, model)
    return None if target is None else save_segmentation(segmentation, target)


def _save_probabilities(
    maps: NDArray[np.floating],
    path: str | Path | None,
    segmentation: Segmentation,
    mask: Path | None,
) -> None:
    """Write the probabilities where wanted; a mask that is written stays, whatever comes after."""
    if path is None:
        return
    try:
        write_probabilities(path, maps, segmentation.affine, segmentation.source)
    except OutputError as error:
        if mask is None:
            raise
        raise OutputError(f"{error} (the mask is saved: {str(mask)!r})") from error


def _measure(
    case: Case, tissues: NDArray[np.uint8]
) -> tuple[dict[str, float], dict[str, RegionScore] | None]:
    if case.reference is None:
        return region_volumes(tissue_counts(tissues), case.voxel_ml), None
    scores = score_regions(joint_counts(tissues, case.reference), case.voxel_ml)
    return {name: score.volume_ml for name, score in scores.items()}, scores


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
