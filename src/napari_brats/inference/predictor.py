"""Networks ready to segment cases: a checkpoint with everything it needs, or several."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.inference.averaging import Prediction, predict_average, share
from napari_brats.inference.costs import Costs, has_run
from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import (
    REFERENCE_ENGINE,
    Engine,
    device_for,
    installed_engines,
    make_engine,
)
from napari_brats.inference.logits import settings_for
from napari_brats.inference.memory import voxels
from napari_brats.inference.postprocessing import region_probabilities
from napari_brats.inference.runner import OnNotice, Ran, run_network
from napari_brats.inference.steps import OnStep
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
        Key in `ENGINES`, or ``"auto"``: what was fastest here in earlier runs, else PyTorch.
    mirror : bool
        Run it on the patient and on the patient with left and right exchanged, and average
        the probabilities.
    """

    network: "nn.Module"
    card: Card
    device: DeviceChoice
    engine: str = "auto"
    mirror: bool = False
    _engines: dict[tuple[str, DeviceChoice], Engine] = field(default_factory=dict, repr=False)

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
            As `device_for` takes them; checked before the weights are read.
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
        choice = device_for(device, precision, engine)
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
    ) -> Ran:
        """Return the probabilities of WT, TC, ET on the recipe's grid, and what made them.

        Parameters
        ----------
        prepared : Prepared
            A case as the card's recipe prepares it.
        on_step, on_notice : callable, optional
            As in `predict_average`.

        Returns
        -------
        Ran
            Values (3, X, Y, Z).
        """
        first = share(on_step, 0, 2) if self.mirror else on_step
        ran = self._run(prepared.volume, self.device, first, on_notice)
        if not self.mirror:
            return ran
        axis = 1 + left_right_axis(prepared.affine)
        flipped = np.flip(prepared.volume, axis)
        again = self._run(flipped, ran.engine.device, share(on_step, 1, 2), on_notice)
        mean = (ran.values + np.flip(again.values, axis)) / np.float32(2)
        return again._replace(values=mean)

    def _run(
        self,
        volume: NDArray[np.float32],
        device: DeviceChoice,
        on_step: OnStep | None,
        on_notice: OnNotice | None,
    ) -> Ran:
        name = self._engine_for(voxels(volume.shape[1:]), device)
        ran = run_network(
            partial(self._engine_on, name),
            volume,
            device,
            settings_for(model_spec(self.card.architecture), background=self.recipe.background),
            instead=None if name == REFERENCE_ENGINE else self._reference,
            on_step=on_step,
            on_notice=on_notice,
        )
        return ran._replace(values=region_probabilities(ran.values, self.card.outputs))

    def _engine_for(self, size: int, device: DeviceChoice) -> str:
        if self.engine != "auto":
            return self.engine
        names = installed_engines(device.kind)
        if len(names) < 2:
            return REFERENCE_ENGINE
        model, title = self.card.name, device.title
        first = {name: not has_run(model, name, title) for name in names}
        return Costs.load().fastest(model, first, title, size) or REFERENCE_ENGINE

    def _reference(self, device: DeviceChoice) -> Engine:
        """Give up on the engine that refused, for good, and on its memory."""
        self.engine = REFERENCE_ENGINE
        for key in [key for key in self._engines if key[0] != REFERENCE_ENGINE]:
            del self._engines[key]
        return self._engine_on(REFERENCE_ENGINE, device)

    def _engine_on(self, name: str, device: DeviceChoice) -> Engine:
        if (name, device) not in self._engines:
            spec = model_spec(self.card.architecture)
            self._engines[name, device] = make_engine(self.network, spec, device, name)
        return self._engines[name, device]


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
        device_for(device, precision, engine)
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
