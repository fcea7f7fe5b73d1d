"""The training loop: AdamW, one cycle, averaged weights, bfloat16 where the device can."""

import json
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from napari_brats.errors import TrainingError
from napari_brats.inference import predict_logits
from napari_brats.inference.devices import resolve_device
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import ModelSpec, create_model, model_spec
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.regions import REGIONS, region_mask
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import Crops, Sample
from napari_brats.training.losses import RegionLoss, hard_dice


@dataclass(frozen=True)
class Progress:
    """What one report of the training says: losses are means since the last report."""

    step: int
    seconds: float
    fraction: float
    loss: float
    learning_rate: float
    holdout_dice: tuple[float, float, float] | None = None


class WeightAverage:
    """Exponential moving average of all floating-point weights and buffers.

    The decay grows from 0 as (1 + n) / (10 + n) up to its limit, so that the random start
    is forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average toward the network's present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value.detach(), 1 - decay)
            else:
                self.state[name].copy_(value)


def one_cycle(fraction: float, warm_up: float = 0.05) -> float:
    """Learning rate over its peak: linear up, then half a cosine down to 1 %."""
    if fraction < warm_up:
        return max(fraction / warm_up, 0.01)
    rest = (fraction - warm_up) / (1 - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(rest, 1.0))) / 2


class Trainer:
    """One training of one network.

    Parameters
    ----------
    config : TrainConfig
        What to train and how.
    real, synthetic : list of Path
        Cached samples to train on.
    holdout : list of Path
        Cached samples to watch the Dice on.
    """

    def __init__(
        self, config: TrainConfig, real: list[Path], synthetic: list[Path], holdout: list[Path]
    ) -> None:
        crops = Crops(real, synthetic, config.synthetic_share, config.crop, config.seed)
        self.spec = model_spec(config.model)
        check_crop(config.crop, self.spec)
        torch.manual_seed(config.seed)
        self.config = config
        self.holdout = holdout
        self.choice = resolve_device(config.device)
        self.device = torch.device(self.choice.torch_name)
        self.options: dict[str, Any] = {
            "out_channels": len(REGIONS),
            "in_channels": len(RECIPES[config.recipe].modalities),
        }
        self.network = create_model(config.model, config.size, **self.options)
        if config.start is not None:
            self.network.load_state_dict(start_weights(config))
        self.network.to(self.device)
        self.network.to(memory_format=self._channels_last)  # type: ignore[call-overload]
        if config.fuse and shutil.which("c++"):
            self.network.compile(dynamic=False)  # all samples have one size
        self.average = WeightAverage(self.network, config.average)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.loss = RegionLoss()
        self.loader = DataLoader(crops, batch_size=config.batch, num_workers=1, prefetch_factor=4)

    def run(self, report_every: int = 25) -> Iterator[Progress]:
        """Train, yielding a `Progress` every few steps, to the end of the schedule."""
        started, losses = time.monotonic(), []
        for step, (images, regions) in enumerate(self.loader, start=1):
            seconds = time.monotonic() - started
            fraction = self._fraction(step, seconds)
            rate = self.config.learning_rate * one_cycle(fraction)
            losses.append(self._step(images, regions, rate))
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"the loss became {losses[-1]} at step {step}; the last checkpoint is kept: "
                    f"lower --learning-rate (now {self.config.learning_rate:g}) and train again"
                )
            if step % report_every == 0 or fraction >= 1:
                yield Progress(step, seconds, fraction, float(np.mean(losses)), rate)
                losses = []
            if fraction >= 1:
                return

    def _fraction(self, step: int, seconds: float) -> float:
        done = step / self.config.steps
        if self.config.minutes is not None:
            done = max(done, seconds / 60 / self.config.minutes)
        return min(done, 1.0)

    def _step(self, images: Tensor, regions: Tensor, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images = as_input(images, self.spec.ndim).to(self.device, memory_format=self._channels_last)
        regions = as_input(regions, self.spec.ndim).to(self.device)
        mixed = self.config.mixed_precision and self.choice.precision == "bfloat16"
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits = self.network(images)
        loss = self.loss(logits, regions)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 12.0)
        self.optimizer.step()
        self.average.update(self.network)
        return float(loss.detach())

    def averaged_network(self) -> nn.Module:
        """Return a copy of the network with the averaged weights, in evaluation mode."""
        network = create_model(self.config.model, self.config.size, **self.options)
        network.load_state_dict(self.average.state)
        return network.eval()

    def holdout_dice(self) -> tuple[float, float, float] | None:
        """Mean Dice of WT, TC, ET of the averaged network on the held-out samples, their grid."""
        if not self.holdout:
            return None
        network = self.averaged_network()
        rows = []
        for path in self.holdout:
            sample = Sample.load(path)
            logits = predict_logits(
                network, sample.images.astype(np.float32), device=self.choice.torch_name
            )
            regions = np.stack([region_mask(sample.tissues, name) for name in REGIONS])
            rows.append(hard_dice(torch.from_numpy(logits)[None], torch.from_numpy(regions)[None]))
        whole, core, enhancing = np.mean(rows, axis=0)
        return float(whole), float(core), float(enhancing)

    @property
    def _channels_last(self) -> torch.memory_format:
        return torch.channels_last if self.spec.ndim == 2 else torch.channels_last_3d


def as_input(samples: Tensor, ndim: int) -> Tensor:
    """Give (N, C, X, Y, Z) as it is to a 3D network, as slices (N Z, C, X, Y) to a 2D one."""
    return samples if ndim == 3 else samples.movedim(4, 1).flatten(0, 1)


def start_weights(config: TrainConfig) -> dict[str, Tensor]:
    """Return the weights that a training goes on from.

    Raises
    ------
    CheckpointError
        If they cannot be read.
    TrainingError
        If they belong to another network, size or recipe.
    """
    network, card = load_checkpoint(str(config.start))
    found = (card.architecture, card.size, card.recipe)
    wanted = (config.model, config.size, config.recipe)
    if found != wanted:
        raise TrainingError(
            f"{config.start!r} holds weights of {' '.join(found)!r}, not of {' '.join(wanted)!r}; "
            "give --start weights of the same network, size and recipe"
        )
    return network.state_dict()


def check_crop(crop: tuple[int, int, int], spec: ModelSpec) -> None:
    """Raise TrainingError if a network cannot take samples of this size."""
    if any(side < 1 or side % spec.multiple for side in crop[: spec.ndim]):
        raise TrainingError(
            f"{spec.name!r} cannot train on samples of {' x '.join(map(str, crop))} voxels; "
            f"give --crop multiples of {spec.multiple}"
        )


def write_log(path: Path, config: TrainConfig, reports: list[Progress]) -> None:
    """Write the configuration and all reports as JSON."""
    text = {"config": asdict(config), "reports": [asdict(report) for report in reports]}
    path.write_text(json.dumps(text, indent=1, default=str))
