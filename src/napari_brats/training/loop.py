"""`train`: from folders of patients and brain maps to a checkpoint with its card."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from napari_brats.errors import CaseError, OutputError, TrainingError
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.training.config import TrainConfig
from napari_brats.training.curves import CURVES_NAME, LOG_FOLDER, draw_curves
from napari_brats.training.export import AveragedWeights, Export, training_card
from napari_brats.training.module import HELD_OUT, RegionTraining
from napari_brats.training.preparation import check_crop, network_of, prepare
from napari_brats.training.reports import Progress, Reports
from napari_brats.training.resume import (
    STATE_NAME,
    check_unused,
    state_to_resume,
    write_config,
)
from napari_brats.training.settings import check_numbers, preset_of

_PRECISIONS = {"bfloat16": "bf16-mixed", "float16": "16-mixed", "float32": "32-true"}


def train(
    config: TrainConfig,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_notice: Callable[[str], None] = print,
    stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train a network and keep its averaged weights in ``config.output``.

    Patients are preprocessed into the cache first (and found there the next time). Every
    ``config.check_steps`` the held-out patients are measured and the weights, the state to
    go on from, the logs and the curves are written.

    Parameters
    ----------
    config : TrainConfig
        What to train and how; with ``resume``, the settings that the training began with.
    on_progress : callable
        Takes a `Progress` every 25 steps and after each check.
    on_notice : callable
        Takes one line about what happens outside the optimizer's steps.
    stop : callable
        Asked after each step; if it returns True the training is written down and ends,
        and can be resumed.

    Returns
    -------
    Path
        The weights (.safetensors); their card lies beside them.

    Raises
    ------
    CaseError
        If there is nothing to train on.
    OutputError
        If something cannot be written; what was written before stays. A `TakenError` if the
        folder holds a training already and it is not resumed.
    TrainingError
        If the crop does not fit the network, the loss is no number any more, or an
        interrupted training began with other settings.
    """
    if not config.data and config.anatomy is None:
        raise CaseError(
            "nothing to train on; give --data folders of patients, --anatomy brain maps, or both"
        )
    check_numbers(config)
    check_crop(config)
    if not config.steps and preset_of(config).epochs is None:
        raise TrainingError(
            f"--steps 0 takes the preset's epochs, and {config.preset!r} has none; give 1 or more"
        )
    if not config.resume:
        check_unused(config)
    state = state_to_resume(config) if config.resume else None
    choice = resolve_device(config.device, "auto" if config.mixed_precision else "float32")
    # Read before the patients, which take minutes, and once: it may be gone at the next check.
    network, began = network_of(config, on_notice)
    material = prepare(config, on_notice)
    material.crops.later = choice.kind == "cuda"  # not on Apple's GPUs: they cannot sample grids
    write_config(config)  # resumed once more, it goes on as it was told to last
    steps = config.steps or (preset_of(config).epochs or 0) * material.epoch_steps
    config = replace(config, steps=steps, check_steps=config.check_steps or material.epoch_steps)
    if config.patience and not material.holdout:
        on_notice("no patient is held out, so nothing is watched: --patience does not count")
        config = replace(config, patience=0)
    module = RegionTraining(config, network, material.crops, material.holdout, material.epoch_steps)
    averaged = AveragedWeights(config.average)
    stem = config.output / f"{config.model}-{config.size}"
    patients = len(material.real)
    callbacks = [
        averaged,
        Reports(on_progress, stop),
        Export(averaged, lambda now: training_card(config, now, patients, began), stem),
        *_callbacks(config),
    ]
    trainer = make_trainer(config, choice, callbacks)
    fit(trainer, module, state, cure="make room or choose another --output, and use --resume")
    if trainer.is_global_zero:
        draw_curves(config.output / LOG_FOLDER, config.output / CURVES_NAME)
    return stem.with_name(f"{stem.name}.safetensors")


def _callbacks(config: TrainConfig) -> list[Callback]:
    state = ModelCheckpoint(
        config.output,
        STATE_NAME.removesuffix(".ckpt"),
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    if not config.patience:
        return [state]
    # Not strict: a resumed training begins with the end of an epoch, where nothing was measured.
    early = _Patience(
        HELD_OUT, mode="max", patience=config.patience, check_on_train_epoch_end=True, strict=False
    )
    return [early, state]


class _Patience(EarlyStopping):
    """Early stopping whose patience is the present settings', in a resumed training too."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember the best score and the checks since, not how many there might be."""
        super().load_state_dict({**state_dict, "patience": self.patience})


def make_trainer(config: TrainConfig, choice: DeviceChoice, callbacks: list[Callback]) -> Trainer:
    """Return Lightning's trainer; its logs go into ``config.output``."""
    several = config.devices * config.nodes > 1
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # its advice is for programmers
    loggers: list[Logger] = [
        CSVLogger(config.output, name=LOG_FOLDER, flush_logs_every_n_steps=25),
        TensorBoardLogger(config.output, name="tensorboard"),
    ]
    return Trainer(
        accelerator="gpu" if choice.kind == "cuda" else choice.kind,
        devices=[choice.index or 0] if choice.kind == "cuda" and not several else config.devices,
        num_nodes=config.nodes,
        strategy="ddp" if several else "auto",
        sync_batchnorm=several and choice.kind == "cuda",
        precision=_PRECISIONS[choice.precision],  # type: ignore[arg-type]
        max_steps=config.steps,
        logger=loggers,
        callbacks=callbacks,
        gradient_clip_val=preset_of(config).gradient_clip,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=config.output,
    )


def fit(trainer: Trainer, module: RegionTraining, state: Path | None = None, *, cure: str) -> None:
    """Run Lightning, from a state to go on from if there is one.

    Raises
    ------
    OutputError
        If something cannot be written; ``cure`` says what to do.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            trainer.fit(module, ckpt_path=state, weights_only=True)
    except OSError as error:
        raise OutputError(
            f"cannot write to {str(trainer.default_root_dir)!r}: {error.strerror or error}; what "
            f"was written before is whole: {cure}"
        ) from error
