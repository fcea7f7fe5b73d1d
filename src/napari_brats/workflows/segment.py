"""Segment one patient: load, predict, score, save."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
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
from napari_brats.networks.ensembles import joint_name, read_cards
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

    @property
    def maker(self) -> str:
        """What made the mask, for names of files and layers."""
        return maker_name(self.model, self.mirrored)

    def to_json(self) -> dict[str, object]:
        """Return what ``napari-brats segment --json`` prints."""
        return {
            "case": self.case.case_id,
            "model": self.model,
            "members": list(self.members),
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


def segment(
    patient: str | Path | Case,
    *,
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    engine: str = "auto",
    precision: str = "auto",
    mirror: bool = False,
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
        Name of bundled weights, or a ``.safetensors`` file with its card beside it; several
        joined by ``+`` are averaged, and ``"all"`` averages all bundled weights.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ... or ``"mps"``.
    engine : str
        ``"auto"``, ``"openvino"`` (CPUs) or ``"torch"``.
    precision : str
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    mirror : bool
        Average over the patient and the patient with left and right exchanged, which takes
        the networks twice as long.
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
    cards = read_cards(model)
    name = joint_name(cards)
    case = _load(patient, labels, cards)
    loaded = time.perf_counter()
    for note in case.notes:
        say(note)
    maker = maker_name(name, mirror)
    target = _target(output, probabilities, case, maker)
    # Torch is loaded here, when all that can be refused without it has been looked at.
    from napari_brats.inference.predictor import Ensemble

    networks = Ensemble.load(
        model, device=device, precision=precision, engine=engine, mirror=mirror
    )
    prediction = networks.predict(case, on_step=on_step, on_notice=say)
    segmentation = segmentation_of(case, prediction.tissues)
    save_start = time.perf_counter()
    target = _save_mask(segmentation, output, target, case, maker)
    _save_probabilities(prediction.probabilities, probabilities, segmentation, target)
    done = time.perf_counter()
    volumes_ml, scores = _measure(case, prediction.tissues)
    return SegmentResult(
        case=case,
        segmentation=segmentation,
        probabilities=prediction.probabilities,
        model=name,
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
        members=tuple(card.name for card in cards),
        mirrored=mirror,
        missing=prediction.missing,
    )


def maker_name(model: str, mirrored: bool) -> str:
    """Return what made a mask, for names of files and layers: the model and how it was used."""
    return f"{model}-mirrored" if mirrored else model


def _load(patient: str | Path | Case, labels: str | None, cards: Sequence[Card]) -> Case:
    """Return the case; a modality that the weights need and files lack costs no reading."""
    files = patient if isinstance(patient, Case) else recognize(patient)
    for card in cards:
        require_modalities(files, card.modalities, f"model {card.name!r}", card.may_lack)
    return patient if isinstance(patient, Case) else load_case(patient, labels=labels)


def _target(
    output: str | Path | None, probabilities: str | Path | None, case: Case, maker: str
) -> Path | None:
    """Return the mask's file; refuse what could not be written before anything is computed."""
    target = None if output is None else resolve_output(Path(output), case, maker)
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
    maker: str,
) -> Path | None:
    """Write the mask where wanted and return its file: under a free name if a folder was given."""
    if output is not None and os.path.isdir(output):
        return save_new(segmentation, Path(output), case, maker)
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
