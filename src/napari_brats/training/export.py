"""Usable weights during a training: the averaged network with its card, latest and best."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import nn

from napari_brats.networks.checkpoint import Card, save_checkpoint
from napari_brats.preprocessing.recipes import recipe_named
from napari_brats.regions import REGIONS
from napari_brats.training.averaging import MovingAverage
from napari_brats.training.config import TrainConfig
from napari_brats.training.losses import LOSSES
from napari_brats.training.module import HELD_OUT, RegionTraining
from napari_brats.training.preparation import options_of

LIMITS = (
    "Research use only: not a medical device and not for decisions about patients.",
    "Trained on skull-stripped, co-registered adult glioma before surgery; resection cavities, "
    "children, metastases and meningioma were never seen.",
    "A tumor without enhancement may get some, and thin or faint enhancement may be missed.",
)
CITATIONS = (
    "Baid et al. 2021, arXiv:2107.02314",
    "Menze et al. 2015, doi:10.1109/TMI.2014.2377694",
    "Bakas et al. 2017, doi:10.1038/sdata.2017.117",
)


class AveragedWeights(WeightAveraging):
    """Lightning's averaging of weights, with our `MovingAverage`; held-out Dice is its Dice."""

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=MovingAverage(decay))

    @property
    def network(self) -> nn.Module:
        """The averaged network."""
        average = self._average_model
        if average is None or not isinstance(average.module, RegionTraining):
            raise RuntimeError("the average is there only once the training has begun")
        return average.module.network


class Export(Callback):
    """Writes ``MODEL-SIZE.safetensors`` at each check, and ``-best`` where the Dice has risen.

    Parameters
    ----------
    averaged : AveragedWeights
        Whose network is written.
    card : callable
        Makes the card from the module.
    stem : Path
        Where to write, without suffix.
    """

    def __init__(
        self, averaged: AveragedWeights, card: Callable[[RegionTraining], Card], stem: Path
    ) -> None:
        self.averaged, self.card, self.stem = averaged, card, stem
        self.best = -1.0

    def on_train_epoch_end(self, trainer: Trainer, module: Any) -> None:
        """Write."""
        dice = float(trainer.callback_metrics.get(HELD_OUT, -1.0))
        better = dice > self.best
        self.best = max(dice, self.best)
        if not trainer.is_global_zero:
            return
        for logger in trainer.loggers:  # what is resumed after a kill has its curves
            logger.save()
        card = self.card(module)
        save_checkpoint(self.averaged.network, card, self.stem, half=True)
        if better:
            best = self.stem.with_name(f"{self.stem.name}-best")
            save_checkpoint(self.averaged.network, card, best, half=True)

    def state_dict(self) -> dict[str, float]:
        """Return what an interrupted training must remember."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Remember it."""
        self.best = state_dict["best"]


def training_card(
    config: TrainConfig,
    module: RegionTraining,
    real_patients: int,
    began: Mapping[str, Any] | None = None,
) -> Card:
    """Return the card of the weights as they are now; ``began``: the training before this one."""
    recipe, metrics = recipe_named(config.recipe), module.trainer.callback_metrics
    known = [metrics[f"{HELD_OUT}_{name}"] for name in REGIONS if f"{HELD_OUT}_{name}" in metrics]
    return Card(
        name=f"{config.model}-{config.size}",
        architecture=config.model,
        size=config.size,
        options=options_of(config),
        recipe=config.recipe,
        modalities=recipe.modalities,
        outputs=module.outputs,
        may_lack=recipe.modalities if config.drop_modality else (),
        training={
            "started_from": began,
            "real_patients": real_patients,
            "synthetic_patients": synthetic_patients(config),
            "synthetic_share": config.synthetic_share if synthetic_patients(config) else 0.0,
            "steps": module.global_step,
            "minutes": round(module.seconds / 60, 1),
            "batch": config.batch * config.devices * config.nodes,
            "crop": list(config.crop),
            "learning_rate": config.learning_rate,
            "drop_modality": config.drop_modality or None,
            "preset": config.preset,
            "loss": LOSSES[module.preset.loss].title,
            "seed": config.seed,
            "device": str(module.device),
            "holdout_dice": [round(float(score), 4) for score in known] or None,
        },
        license="CC BY-NC 4.0; research use only",
        limits=LIMITS,
        citation=CITATIONS,
    )


def synthetic_patients(config: TrainConfig) -> int | str:
    """Return how many synthetic patients a training sees."""
    if config.anatomy is None or not config.synthetic_share:
        return 0
    return config.synthetic_cases or "a new one for each sample"
