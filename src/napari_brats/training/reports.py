"""What a training tells while it runs, and how it is stopped: a callback for Lightning."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightning.pytorch import Callback, Trainer

from napari_brats.regions import REGIONS
from napari_brats.training.module import HELD_OUT, RegionTraining


@dataclass(frozen=True)
class Progress:
    """What one report says.

    Parameters
    ----------
    step : int
        Optimizer steps done.
    seconds, fraction : float
        Time spent, and how much of the training is done (0-1).
    loss : float
        Mean since the last report.
    learning_rate : float
        Of the last step.
    waiting : float
        Share of the time that the network has waited for samples.
    holdout_dice : tuple of float, optional
        WT, TC, ET of the held-out patients, where they were measured just now.
    """

    step: int
    seconds: float
    fraction: float
    loss: float
    learning_rate: float
    waiting: float
    holdout_dice: tuple[float, float, float] | None = None


class Reports(Callback):
    """Calls ``on_progress`` every 25 steps and after each check, and asks whether to stop."""

    def __init__(
        self, on_progress: Callable[[Progress], None], stop: Callable[[], bool], every: int = 25
    ) -> None:
        self.on_progress, self.stop, self.every = on_progress, stop, every
        self.losses: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the loss."""
        self.losses.append(float(outputs["loss"]))
        if trainer.global_step % self.every == 0:
            self._report(trainer, module)
        if self.stop():
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Trainer, module: Any) -> None:
        """Tell the held-out Dice."""
        scores = [trainer.callback_metrics.get(f"{HELD_OUT}_{name}") for name in REGIONS]
        known = [float(score) for score in scores if score is not None]
        dice = (known[0], known[1], known[2]) if len(known) == 3 else None
        if self.losses or dice is not None:
            self._report(trainer, module, dice)

    def _report(
        self,
        trainer: Trainer,
        module: RegionTraining,
        dice: tuple[float, float, float] | None = None,
    ) -> None:
        loss = float(np.mean(self.losses)) if self.losses else float("nan")
        self.losses = []
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        share = module.waited / max(module.seconds, 1e-9)
        report = Progress(
            trainer.global_step, module.seconds, module.fraction, loss, rate, share, dice
        )
        if trainer.is_global_zero:
            self.on_progress(report)
