"""Segment one patient: load, predict, score, save."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

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
from napari_brats.inference.costs import Run, has_run, remember
from napari_brats.inference.steps import Steps
from napari_brats.metrics.overlap import joint_counts, tissue_counts
from napari_brats.metrics.scores import RegionScore, region_volumes, score_regions
from napari_brats.naming import recognize
from napari_brats.networks.card import Card
from napari_brats.networks.ensembles import fingerprints, joint_name, read_cards
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.volumes import write_probabilities
from napari_brats.workflows.outputs import check_target, resolve_output, save_new
from napari_brats.workflows.segmented import SegmentResult, maker_name

if TYPE_CHECKING:
    from napari_brats.inference import Ensemble, Prediction

_KEPT_NETWORKS = 8


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
        Called as ``on_step(done, total)`` after each window, and as ``on_step(0, 0)`` before
        the first: around reading and loading, between the steps of preparing. What it raises
        stops the work.
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
    say, steps = on_notice or _ignore, Steps(on_step)
    cards = read_cards(model)
    steps.repeat()
    case = _load(patient, labels, cards)
    loaded = time.perf_counter()
    steps.repeat()
    for note in case.notes:
        say(note)
    maker = maker_name(joint_name(cards), mirror)
    target = _target(output, probabilities, case, maker)
    # Torch is loaded here, when all that can be refused without it has been looked at.
    networks = networks_for(model, cards, device, precision, engine, mirror)
    steps.repeat()
    prediction = networks.predict(case, on_step=steps, on_notice=say)
    segmentation = segmentation_of(case, prediction.tissues)
    save_start = time.perf_counter()
    target = _save_mask(segmentation, output, target, case, maker)
    _save_probabilities(prediction.probabilities, probabilities, segmentation, target)
    done = time.perf_counter()
    remember_run(maker, prediction, done - start)
    seconds = {"load": loaded - start, "save": done - save_start}
    return result_of(
        case,
        prediction,
        cards,
        mirror=mirror,
        output=target,
        seconds=seconds,
        total=time.perf_counter() - start,
    )


def result_of(
    case: Case,
    prediction: "Prediction",
    cards: Sequence[Card],
    *,
    mirror: bool,
    output: Path | None,
    seconds: Mapping[str, float],
    total: float,
) -> SegmentResult:
    """Put what is known of a segmentation together.

    Parameters
    ----------
    case, prediction
        The patient, and what the networks gave.
    cards : sequence of Card
        Of the weights that took part.
    mirror : bool
        Whether the mean over left and right was taken.
    output : Path or None
        The mask's file.
    seconds : Mapping[str, float]
        Of ``load`` and ``save``.
    total : float
        Seconds of all stages.
    """
    volumes_ml, scores = _measure(case, prediction.tissues)
    return SegmentResult(
        case=case,
        segmentation=segmentation_of(case, prediction.tissues),
        probabilities=prediction.probabilities,
        model=joint_name(cards),
        device=prediction.device.torch_name,
        device_title=prediction.device.title,
        engine=prediction.engine,
        seconds={**prediction.seconds, **seconds, "total": total},
        volumes_ml=volumes_ml,
        scores=scores,
        output=output,
        members=tuple(fingerprints(cards)),
        mirrored=mirror,
        missing=prediction.missing,
        weights_sha256=fingerprints(cards),
    )


def networks_for(
    model: str | Path,
    cards: Sequence[Card],
    device: str,
    precision: str,
    engine: str,
    mirror: bool,
) -> "Ensemble":
    """Return networks ready to run; the next patient finds them so, unless a card changed."""
    return _networks(model, tuple(map(repr, cards)), device, precision, engine, mirror)


@lru_cache(maxsize=_KEPT_NETWORKS)
def _networks(
    model: str | Path,
    cards: tuple[str, ...],
    device: str,
    precision: str,
    engine: str,
    mirror: bool,
) -> "Ensemble":
    from napari_brats.inference.predictor import Ensemble

    return Ensemble.load(model, device=device, precision=precision, engine=engine, mirror=mirror)


def remember_run(name: str, prediction: "Prediction", total: float) -> None:
    """Keep what a run took, for those who ask beforehand."""
    device = prediction.device.title
    remember(
        Run(
            model=name,
            engine=prediction.engine,
            device=device,
            first=not has_run(name, prediction.engine, device),
            voxels=prediction.voxels,
            network_seconds=prediction.seconds["network"],
            total_seconds=total,
            memory_bytes=prediction.memory_bytes,
        )
    )


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
