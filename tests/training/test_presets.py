import inspect
from importlib import import_module

import pytest
import torch

from napari_brats.errors import CheckpointError, TrainingError
from napari_brats.networks.card import OUTPUTS
from napari_brats.networks.registry import MODELS, create_model
from napari_brats.training.config import TrainConfig
from napari_brats.training.losses import LOSSES
from napari_brats.training.presets import (
    AUGMENTATIONS,
    PRESETS,
    SAMPLINGS,
    learning_rate,
    make_optimizer,
    preset_for,
)
from napari_brats.training.schedules import SCHEDULES, Moment
from napari_brats.training.settings import config_of_preset, preset_of

ROWS = [(name, model) for name in PRESETS for model in MODELS]


@pytest.mark.parametrize(("name", "model"), ROWS)
def test_every_row_names_rows_that_are_there(name, model):
    """A preset is made of the other tables' rows, and has one length."""
    preset = preset_for(name, model)
    assert preset.name == name
    assert preset.loss in LOSSES
    assert preset.schedule in SCHEDULES
    assert preset.sampling in SAMPLINGS
    assert set(preset.augmentation) <= set(AUGMENTATIONS)
    assert (preset.steps is None) != (preset.epochs is None)


@pytest.mark.parametrize(("name", "model"), ROWS)
def test_every_row_fits_its_network(name, model):
    """The network can be built with the preset's options, channels and crop."""
    preset, spec = preset_for(name, model), MODELS[model]
    outputs = OUTPUTS[LOSSES[preset.loss].outputs]
    network = create_model(
        model,
        "lite",
        **{
            **preset.options,
            "in_channels": len(preset.modalities),
            "out_channels": len(outputs.channels),
        },
    )
    assert network.out_channels == len(outputs.channels)
    assert all(side % spec.multiple == 0 for side in preset.crop)
    assert len(preset.crop) in (3, spec.ndim)


@pytest.mark.parametrize("model", MODELS)
def test_seeds_are_trained_as_published(model):
    """Size, recipe, modalities, outputs and dropout are those of the published network."""
    preset, spec = preset_for("seed", model), MODELS[model]
    assert (preset.size, preset.recipe) == ("paper", spec.recipe)
    assert preset.modalities == spec.modalities
    assert LOSSES[preset.loss].outputs == spec.outputs["paper"]
    assert preset.left_out
    module, _, name = spec.factory.partition(":")
    network = getattr(import_module(f"napari_brats.networks.{module}"), name)
    defaults = {key: p.default for key, p in inspect.signature(network).parameters.items()}
    assert {key: defaults[key] for key in preset.options} == preset.options


def test_ours_is_what_train_does():
    """Naming the preset changes none of `TrainConfig`'s defaults, and the way back is the row."""
    assert config_of_preset("ours", "unet3d") == TrainConfig(model="unet3d")
    assert preset_of(TrainConfig(model="unet3d")) == preset_for("ours", "unet3d")


def test_authors_check_once_an_epoch():
    """Their patience counts epochs, so theirs are what a check comes after."""
    assert config_of_preset("seed", "isensee2017").check_steps == 0
    assert config_of_preset("seed", "isensee2017").patience == 10
    assert config_of_preset("seed", "isensee2017", check_steps=5).check_steps == 5


def test_the_optimizer_has_the_presets_numbers():
    """Decoupled decay for ours; momentum and no decay for Kermi's; Keras's epsilon for Adam."""
    found = {}
    for name, model in (("ours", "unet3d"), ("seed", "kermi2018"), ("seed", "isensee2017")):
        optimizer = make_optimizer(preset_for(name, model), [torch.nn.Parameter(torch.zeros(1))])
        found[type(optimizer).__name__] = optimizer.defaults
    assert (found["AdamW"]["lr"], found["AdamW"]["weight_decay"]) == (2e-3, 1e-4)
    sgd = found["SGD"]
    assert (sgd["lr"], sgd["momentum"], sgd["weight_decay"], sgd["nesterov"]) == (0.08, 0.9, 0, 0)
    assert (found["Adam"]["lr"], found["Adam"]["eps"], found["Adam"]["weight_decay"]) == (
        1e-2,
        1e-7,
        0,
    )


def test_the_rate_is_the_presets_times_the_schedules():
    """Hand-computed: the second epoch of Kermi's begins at 8e-4, less the decay of 5e-4 a step."""
    rate = learning_rate(preset_for("seed", "kermi2018"), Moment(step=1000, epoch=1, fraction=0.4))
    assert rate == pytest.approx(8e-4 / 1.5)
    assert learning_rate(preset_for("ours", "kermi2018"), Moment(200, 0, 0.05)) == 2e-3


def test_an_unknown_preset_or_network():
    """What there is is named."""
    with pytest.raises(TrainingError, match="ours, seed"):
        preset_for("paper", "unet3d")
    with pytest.raises(CheckpointError, match="dresunet3d"):
        preset_for("ours", "vnet")
