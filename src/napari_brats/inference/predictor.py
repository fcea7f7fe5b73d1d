"""Networks ready to segment cases: a checkpoint with everything it needs, or several."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.inference.averaging import Prediction, predict_average, share
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.inference.engines import Engine, make_engine
from napari_brats.inference.logits import settings_for
from napari_brats.inference.postprocessing import region_probabilities
from napari_brats.inference.runner import OnNotice, OnStep, run_network
from napari_brats.networks.checkpoint import Card, load_checkpoint
from napari_brats.networks.ensembles import members_of
from napari_brats.networks.registry import DEFAULT_MODEL, model_spec
from napari_brats.preprocessing.recipes import Prepared, Recipe, recipe_named
from napari_brats.preprocessing.steps import left_right_axis

if TYPE_CHECKING:
    from torch import nn


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
    mirror : bool
        Run it on the patient and on the patient with left and right exchanged, and average
        the probabilities.
    """

    network: "nn.Module"
    card: Card
    device: DeviceChoice
    engine: str = "auto"
    mirror: bool = False
    _engines: dict[DeviceChoice, Engine] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        mirror: bool = False,
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
        mirror : bool
            As the class has it.

        Raises
        ------
        CheckpointError
            If there are no such weights or they cannot be used.
        DeviceError
            If the device is not there.
        """
        choice = resolve_device(device, precision)
        network, card = load_checkpoint(model)
        return cls(network, card, choice, engine, mirror)

    @property
    def recipe(self) -> Recipe:
        """The preprocessing that belongs to the weights."""
        return recipe_named(self.card.recipe)

    def predict(
        self, case: Case, *, on_step: OnStep | None = None, on_notice: OnNotice | None = None
    ) -> Prediction:
        """Segment a case, as `predict_average` does with one member."""
        return predict_average((self,), case, on_step=on_step, on_notice=on_notice)

    def regions(
        self,
        prepared: Prepared,
        *,
        on_step: OnStep | None = None,
        on_notice: OnNotice | None = None,
    ) -> tuple[NDArray[np.float32], Engine]:
        """Return the probabilities of WT, TC, ET on the recipe's grid, and what made them.

        Parameters
        ----------
        prepared : Prepared
            A case as the card's recipe prepares it.
        on_step, on_notice : callable, optional
            As in `predict_average`.

        Returns
        -------
        NDArray[np.float32], shape (3, X, Y, Z)
        Engine
        """
        settings = settings_for(
            model_spec(self.card.architecture), background=self.recipe.background
        )
        first = share(on_step, 0, 2) if self.mirror else on_step
        logits, engine = run_network(
            self._engine_on, prepared.volume, self.device, settings,
            on_step=first, on_notice=on_notice,
        )  # fmt: skip
        found = region_probabilities(logits, self.card.outputs)
        if not self.mirror:
            return found, engine
        axis = 1 + left_right_axis(prepared.affine)
        logits, engine = run_network(
            self._engine_on, np.flip(prepared.volume, axis), engine.device, settings,
            on_step=share(on_step, 1, 2), on_notice=on_notice,
        )  # fmt: skip
        found += np.flip(region_probabilities(logits, self.card.outputs), axis)
        return found / np.float32(2), engine

    def _engine_on(self, device: DeviceChoice) -> Engine:
        if device not in self._engines:
            spec = model_spec(self.card.architecture)
            self._engines[device] = make_engine(self.network, spec, device, self.engine)
        return self._engines[device]


@dataclass(frozen=True)
class Ensemble:
    """One predictor, or several whose probabilities are averaged.

    Parameters
    ----------
    members : tuple of Predictor
        One at least; each weighs the same.
    """

    members: tuple[Predictor, ...]

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        mirror: bool = False,
    ) -> "Ensemble":
        """Load one model, or several to be averaged.

        Parameters
        ----------
        model : str or Path
            As in `members_of`, e.g. ``"dresunet3d"``, ``"dresunet3d+unet3d"`` or ``"all"``.
        device, precision, engine, mirror
            As in `Predictor.load`.

        Raises
        ------
        CheckpointError, DeviceError
            As `Predictor.load`.
        """
        resolve_device(device, precision)
        members = (
            Predictor.load(one, device=device, precision=precision, engine=engine, mirror=mirror)
            for one in members_of(model)
        )
        return cls(tuple(members))

    def predict(
        self, case: Case, *, on_step: OnStep | None = None, on_notice: OnNotice | None = None
    ) -> Prediction:
        """Segment a case, as `predict_average` does with all members."""
        return predict_average(self.members, case, on_step=on_step, on_notice=on_notice)
