"""How a model is fine-tuned: as it was trained, shorter and at a low rate."""

from dataclasses import replace

import pytest

from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.registry import MODELS
from napari_brats.training import adapting
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.adapting import DROP_MODALITY, fine_tune, plan_for
from napari_brats.training.losses import LOSSES
from napari_brats.training.settings import preset_of
from napari_brats.training.stream import Crops


def test_samples_do_not_shrink_from_version_to_version():
    """An adapted model's samples are as long as those of the model before it."""
    card = Card(
        name="a", architecture="unet3d", size="lite", recipe="brain-1.5mm", outputs="regions",
        modalities=("flair", "t1ce", "t2", "t1"), training={"crop": [96, 112, 96]},
    )  # fmt: skip
    crop = plan_for(card).settings.crop
    facts = {"adapted_from": "a", "crop": list(crop), "started_from": dict(card.training)}
    again = plan_for(replace(card, training=facts))
    assert crop == again.settings.crop == (64, 80, 64)
    by_hand = replace(card, training={"adapted_from": "a", "crop": [96, 112, 96]})
    assert plan_for(by_hand).settings.crop == crop


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", ["lite", "paper"])
def test_every_model_has_a_plan(name, size):
    """Any network at any size: a loss for its outputs, samples that it takes, a low rate."""
    spec = MODELS[name]
    card = Card(
        name=name, architecture=name, size=size, modalities=spec.modalities,
        recipe="brain-1.5mm" if size == "lite" else spec.recipe, outputs=spec.outputs[size],
    )  # fmt: skip
    plan = plan_for(card, learning_rate=1e-4)
    assert LOSSES[plan.preset.loss].outputs == spec.outputs[size]
    assert plan.preset.optimizer == preset_of(plan.settings).optimizer == "AdamW"
    assert plan.preset.learning_rate == 1e-4
    assert ("intensity" in plan.preset.augmentation) == (size == "lite")


class _Seen(Exception):
    """What the test wanted to see was seen."""


@pytest.mark.parametrize(("lacks", "dropped"), [(("t1",), DROP_MODALITY), ((), 0.0)])
def test_what_may_lack_a_modality_learns_without_one(lacks, dropped, tmp_path, monkeypatch):
    """Else it would forget how, which complete cases on which it is judged would not show."""
    made = []

    def crops(*arguments):
        made.append(Crops(*arguments))
        raise _Seen

    monkeypatch.setattr(adapting, "Crops", crops)
    card = replace(read_card("dresunet3d"), may_lack=lacks)
    config = AdaptConfig(model="dresunet3d", cases=(tmp_path,))
    with pytest.raises(_Seen):
        fine_tune(
            config, card, tmp_path, {}, {}, shares=[1.0], minutes=1.0,
            on_progress=print, stop=lambda: False,
        )  # fmt: skip
    assert made[0].drop_modality == dropped
