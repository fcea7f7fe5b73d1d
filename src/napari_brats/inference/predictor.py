"""From a case to region probabilities and tissues: a checkpoint with everything it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, require_modalities
from napari_brats.errors import CheckpointError
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.inference.engines import Engine, make_engine
from napari_brats.inference.postprocessing import (
    region_probabilities,
    tissues_from_probabilities,
    without_traces,
)
from napari_brats.inference.runner import OnNotice, OnStep, Settings, run_network
from napari_brats.networks.checkpoint import Card, load_checkpoint
from napari_brats.networks.registry import DEFAULT_MODEL, MODELS, ModelSpec, model_spec
from napari_brats.preprocessing.recipes import Recipe, prepare, recipe_named

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Prediction:
    """What a network says about a case, on the patient's own grid.

    Parameters
    ----------
    probabilities : NDArray[np.float32], shape (3, X, Y, Z)
        WT, TC, ET.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes, ET inside TC inside WT.
    device : DeviceChoice
        Where the network ran in the end.
    engine : str
        What ran it, a key in `ENGINES`.
    seconds : Mapping[str, float]
        Of ``preprocess``, ``network`` and ``postprocess``.
    notes : tuple of str
        What people should know, such as brain outside a recipe's fixed crop.
    """

    probabilities: NDArray[np.float32]
    tissues: NDArray[np.uint8]
    device: DeviceChoice
    engine: str
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()


@dataclass
class Predictor:
    """A trained network, its card and a device; good for any number of cases.

    Parameters
    ----------
    network : nn.Module
        With trained weights.
    card : Card
        Architecture, recipe, modalities and outputs that belong to the weights.
    device : DeviceChoice
        Where to run.
    engine : str
        Key in `ENGINES`, or ``"auto"``.
    """

    network: "nn.Module"
    card: Card
    device: DeviceChoice
    engine: str = "auto"
    _engines: dict[DeviceChoice, Engine] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
    ) -> "Predictor":
        """Load bundled weights by the model's name, or a checkpoint by its path.

        Parameters
        ----------
        model : str or Path
            Key in `MODELS`, or a checkpoint.
        device, precision : str
            As `resolve_device` takes them; checked before the weights are read.
        engine : str
            Key in `ENGINES`, or ``"auto"``.

        Raises
        ------
        CheckpointError
            If there are no such weights or they cannot be used.
        DeviceError
            If the device is not there.
        """
        choice = resolve_device(device, precision)
        network, card = load_checkpoint(model)
        return cls(network, card, choice, engine)

    @property
    def recipe(self) -> Recipe:
        """The preprocessing that belongs to the weights."""
        return recipe_named(self.card.recipe)

    def predict(
        self, case: Case, *, on_step: OnStep | None = None, on_notice: OnNotice | None = None
    ) -> Prediction:
        """Segment a case.

        Parameters
        ----------
        case : Case
            Any grid and orientation; must have the card's modalities.
        on_step : callable, optional
            Called with (done, total) windows; may raise `Cancelled`.
        on_notice : callable, optional
            Called with lines for people: notes, and changes of plan when memory runs out.

        Returns
        -------
        Prediction

        Raises
        ------
        CaseError
            If a modality is missing.
        DeviceError
            If memory does not suffice.
        """
        require_modalities(case, self.card.modalities, f"model {self.card.name!r}")
        clock = [perf_counter()]
        prepared = prepare(self.recipe, case.images, case.affine)
        if on_notice is not None:
            for note in prepared.way.notes:
                on_notice(note)
        clock.append(perf_counter())
        logits, engine = run_network(
            self._engine_on,
            prepared.volume,
            self.device,
            _settings(model_spec(self.card.architecture), background=self.recipe.background),
            on_step=on_step,
            on_notice=on_notice,
        )
        clock.append(perf_counter())
        probabilities = prepared.way.back(region_probabilities(logits, self.card.outputs))
        tissues = self._tissues(probabilities, case.voxel_ml, on_notice)
        clock.append(perf_counter())
        names = ("preprocess", "network", "postprocess")
        seconds = dict(zip(names, np.diff(clock).tolist(), strict=True))
        return Prediction(
            probabilities, tissues, engine.device, engine.name, seconds, prepared.way.notes
        )

    def _tissues(
        self, probabilities: NDArray[np.float32], voxel_ml: float, on_notice: OnNotice | None
    ) -> NDArray[np.uint8]:
        least_ml = self.card.least_enhancing_ml
        tissues = tissues_from_probabilities(probabilities)
        tissues, gone_ml = without_traces(tissues, voxel_ml, least_ml)
        if gone_ml and on_notice is not None:
            on_notice(
                f"{gone_ml:.2f} ml of enhancing tumor, less than the {least_ml:g} ml that "
                f"{self.card.name} can be trusted with, is taken for necrosis"
            )
        return tissues

    def _engine_on(self, device: DeviceChoice) -> Engine:
        if device not in self._engines:
            spec = model_spec(self.card.architecture)
            self._engines[device] = make_engine(self.network, spec, device, self.engine)
        return self._engines[device]


def predict_logits(
    network: "nn.Module",
    volume: NDArray[np.float32],
    *,
    engine: str = "auto",
    precision: str = "auto",
    device: str = "auto",
    overlap: float | None = None,
    window: int | None = None,
    background: float = 0.0,
    on_step: OnStep | None = None,
    on_notice: OnNotice | None = None,
) -> NDArray[np.float32]:
    """Run a network over a prepared volume of any size.

    Parameters
    ----------
    network : nn.Module
        One of ours, as `create_model` or `load_checkpoint` gives it; 2D or 3D. It is left as
        it is.
    volume : NDArray[np.float32], shape (C, X, Y, Z)
        As the network's recipe prepares it.
    engine : str
        Key in `ENGINES`, or ``"auto"``.
    precision, device : str
        As `resolve_device` takes them.
    overlap : float, optional
        Share of a window that neighbors have in common, where windows are needed.
    window : int, optional
        Longest side of a window; default: everything at once where memory allows.
    background : float
        Value outside the brain, for padding.
    on_step : callable, optional
        Called with (done, total) windows: first (0, total), then after each batch. It may
        raise `Cancelled`.
    on_notice : callable, optional
        Called with a line for people when memory runs out and the plan changes.

    Returns
    -------
    NDArray[np.float32], shape (K, X, Y, Z)
        Logits.

    Raises
    ------
    CheckpointError
        If the network is none of ours.
    DeviceError
        If the device or engine is not there, or memory does not suffice.
    """
    spec = spec_of(network)
    settings = _settings(spec, window=window, overlap=overlap, background=background)
    logits, _ = run_network(
        lambda choice: make_engine(network, spec, choice, engine),
        np.asarray(volume, np.float32),
        resolve_device(device, precision),
        settings,
        on_step=on_step,
        on_notice=on_notice,
    )
    return logits


def _settings(
    spec: ModelSpec,
    *,
    window: int | None = None,
    overlap: float | None = None,
    background: float = 0.0,
) -> Settings:
    return Settings(spec.ndim, spec.multiple, window, overlap, background)


def spec_of(network: "nn.Module") -> ModelSpec:
    """Return a network's row of `MODELS`, known by its class.

    Raises
    ------
    CheckpointError
        If no row builds this class.
    """
    kind = type(network)
    factory = f"{kind.__module__.rpartition('.')[2]}:{kind.__qualname__}"
    for spec in MODELS.values():
        if spec.factory == factory:
            return spec
    raise CheckpointError(
        f"{kind.__qualname__!r} is none of the networks {', '.join(MODELS)}; "
        "make one with create_model or add a row to MODELS"
    )
