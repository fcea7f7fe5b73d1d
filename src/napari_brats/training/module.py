"""`RegionTraining`: what one step of a training does, for Lightning to repeat."""

import copy
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from napari_brats.errors import TrainingError
from napari_brats.inference import predict_logits
from napari_brats.inference.engines import REFERENCE_ENGINE
from napari_brats.inference.postprocessing import region_probabilities
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.networks.registry import model_spec
from napari_brats.regions import tissues_from_regions
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import Sample
from napari_brats.training.losses import LOSSES, make_loss
from napari_brats.training.presets import Preset, learning_rate, make_optimizer
from napari_brats.training.schedules import Moment
from napari_brats.training.settings import preset_of
from napari_brats.training.stream import Consecutive, Crops
from napari_brats.training.targets import targets_for

_MOST_PASSED_OVER = 10

HELD_OUT = "dice"
"""The held-out patients' mean Dice in the logs; with ``_WT`` and so on, each region's."""


class RegionTraining(LightningModule):
    """A network on its way.

    Parameters
    ----------
    config : TrainConfig
        What to train and how.
    network : nn.Module
        (N, C, ...) images to (N, 3, ...) logits of WT, TC, ET.
    crops : Crops
        What to train on.
    holdout : list of Path
        Cached samples to watch the Dice on.
    epoch_steps : int
        Steps of an epoch as the network's authors count them.
    preset : Preset, optional
        Loss, optimizer and schedule; by default those of the settings.

    Attributes
    ----------
    fraction : float
        How much of the training is done, 0-1, by steps or by time.
    seconds : float
        Spent so far, in interrupted runs too.
    waited : float
        Seconds of these that the network waited for samples.
    """

    def __init__(
        self,
        config: TrainConfig,
        network: nn.Module,
        crops: Crops,
        holdout: list[Path],
        epoch_steps: int = 1,
        preset: Preset | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.spec = model_spec(config.model)
        self.network = network
        self.network.to(memory_format=self._channels_last)  # type: ignore[call-overload]
        self.preset = preset or preset_of(config)
        self.loss = make_loss(self.preset.loss)
        self.outputs = LOSSES[self.preset.loss].outputs
        self.crops = crops
        self.holdout = holdout
        self.epoch_steps = epoch_steps
        self.fraction = self.seconds = self.waited = 0.0
        self._clock = time.monotonic()
        self._passed_over = 0

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the stream from where the training stands."""
        config, trainer = self.config, self.trainer
        numbers = Consecutive(
            config.batch * config.check_steps,
            lambda: trainer.global_step * config.batch,
            trainer.global_rank,
            trainer.world_size,
        )
        workers: dict[str, Any] = {"persistent_workers": True, "prefetch_factor": 4}
        return DataLoader(
            self.crops,
            config.batch,
            sampler=numbers,
            num_workers=config.workers,
            **(workers if config.workers else {}),
        )

    def val_dataloader(self) -> Any:
        """Return the held-out samples, all in every process: few, and then all agree."""
        return DataLoader(_Paths(self.holdout), batch_size=None) if self.holdout else []

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Augment samples where the network is, if the stream left that to it."""
        if not (self.crops.later and self.trainer.training):
            return batch
        made = [self.crops.augment(*one) for one in zip(*batch[:2], batch[2].tolist(), strict=True)]
        return tuple(torch.stack(parts) for parts in zip(*made, strict=True))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the preset's optimizer; its learning rate is set before every step."""
        return make_optimizer(self.preset, self.network.parameters())

    def on_fit_start(self) -> None:
        """Fuse layers where a compiler is there; all samples have one size."""
        if self.config.fuse and shutil.which("c++"):
            self.network.compile(dynamic=False)

    def on_train_start(self) -> None:
        """Start the clock."""
        self._clock = time.monotonic()

    def on_train_epoch_start(self) -> None:
        """Count what went before, a check above all, as no waiting for samples."""
        self._tick()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the learning rate; random numbers depend on the seed and the step alone."""
        self.waited += self._tick()
        config, step = self.config, self.global_step
        self.fraction = self._shared((step + 1) / config.steps)
        moment = Moment(step, step // self.epoch_steps, self.fraction)
        rate = learning_rate(self.preset, moment)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate
        torch.manual_seed(hash((config.seed, step, self.global_rank)) % 2**32)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises
        ------
        TrainingError
            If it is no number.
        """
        images, regions = (as_input(part, self.spec.ndim) for part in batch)
        logits = self.network(images.contiguous(memory_format=self._channels_last))
        with torch.autocast(self.device.type, enabled=False):
            loss: Tensor = self.loss(logits, targets_for(regions, self.outputs))
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"the loss became {loss.item()} at step {self.global_step + 1}; the last "
                f"checkpoint is kept: {self._cure()}"
            )
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Pass over a step whose gradients are not finite: oneDNN's are not, now and then.

        Raises
        ------
        TrainingError
            If it happens too often in a row.
        """
        gradients = [one.grad for one in self.network.parameters() if one.grad is not None]
        if all(bool(torch.isfinite(one).all()) for one in gradients):
            self._passed_over = 0
            return
        self._passed_over += 1
        if self._passed_over > _MOST_PASSED_OVER:
            raise TrainingError(
                f"the gradients of {self._passed_over} steps in a row up to step "
                f"{self.global_step + 1} were not finite; the last checkpoint is kept: "
                f"{self._cure()}"
            )
        optimizer.zero_grad()

    def _cure(self) -> str:
        cure = f"lower --learning-rate (now {self.config.learning_rate:g})"
        if self.config.mixed_precision:
            cure += " or give --no-mixed-precision"
        return f"{cure} and train again"

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log, and stop when the time is over."""
        self._tick()
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        loss = outputs["loss"].detach()
        self.log_dict({"loss": loss, "learning_rate": rate, "step": float(self.global_step)})
        if self.fraction >= 1:
            self.trainer.should_stop = True

    def validation_step(self, path: Path, batch_idx: int) -> None:
        """Log the Dice of one held-out patient, on the recipe's grid."""
        sample = Sample.load(path)
        network = copy.deepcopy(self.network).eval()
        images = np.array(sample.images, np.float32)
        logits = predict_logits(
            network, images, engine=REFERENCE_ENGINE,  # no other pays for weights that change
            device=device_name(self.device), background=self.crops.background,
        )  # fmt: skip
        found = region_probabilities(logits, self.outputs) > 0.5
        joint = joint_counts(tissues_from_regions(found), np.asarray(sample.tissues))
        dice = {name: score.dice for name, score in score_regions(joint, voxel_ml=1.0).items()}
        logged = {f"{HELD_OUT}_{name}": score for name, score in dice.items()}
        logged |= {HELD_OUT: float(np.mean([*dice.values()])), "step": float(self.global_step)}
        self.log_dict(logged, batch_size=1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the clock."""
        checkpoint["seconds"] = self.seconds, self.waited

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Set the clock."""
        self.seconds, self.waited = checkpoint["seconds"]

    def _tick(self) -> float:
        now = time.monotonic()
        passed, self._clock = now - self._clock, now
        self.seconds += passed
        return passed

    def _shared(self, done: float) -> float:
        """Return how much is done, the same in all processes."""
        if self.config.minutes is not None:
            done = max(done, self.seconds / 60 / self.config.minutes)
            if self.trainer.world_size > 1:
                done = self.trainer.strategy.broadcast(done)
        return min(done, 1.0)

    @property
    def _channels_last(self) -> torch.memory_format:
        return torch.channels_last if self.spec.ndim == 2 else torch.channels_last_3d


class _Paths(torch.utils.data.Dataset[Path]):
    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Path:
        return self.paths[number]


def device_name(device: torch.device) -> str:
    """Return what `resolve_device` calls a device: only CUDA's have numbers there."""
    return str(device) if device.type == "cuda" else device.type


def as_input(samples: Tensor, ndim: int) -> Tensor:
    """Give (N, C, X, Y, Z) as it is to a 3D network, as slices (N Z, C, X, Y) to a 2D one."""
    return samples if ndim == 3 else samples.movedim(4, 1).flatten(0, 1)
