import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_brats.errors import CaseError, OutputError, TakenError, TrainingError
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import DEFAULT_MODEL, MODELS
from napari_brats.training.config import TrainConfig
from napari_brats.training.curves import read_log
from napari_brats.training.loop import train
from napari_brats.training.losses import LOSSES
from napari_brats.training.module import device_name
from napari_brats.training.preparation import _epoch_steps
from napari_brats.training.presets import preset_for
from napari_brats.training.resume import read_config
from napari_brats.training.settings import config_of_preset, preset_of

pytestmark = [
    # forking in a process with threads: DataLoader's default on Linux, harmless for its workers
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def quietly(line):
    """Take a notice and say nothing."""


def losses(config):
    return read_log(config.output / "log")["loss"]


def test_nothing_to_train_on(tmp_path):
    """Empty case: neither data nor anatomy."""
    with pytest.raises(CaseError, match="nothing to train on"):
        train(TrainConfig(output=tmp_path / "run"))


def test_a_folder_that_cannot_be_made(tmp_path):
    """The output folder is named, with the option that chooses another."""
    (tmp_path / "file").touch()
    config = TrainConfig(output=tmp_path / "file" / "run", data=(tmp_path,))
    with pytest.raises(OutputError, match="--output"):
        train(config)


def test_a_folder_without_patients_trains_nothing(tmp_path):
    """Folders are given, but no patient with a reference is in them."""
    with pytest.raises(CaseError, match="no training samples"):
        train(TrainConfig(output=tmp_path / "run", data=(tmp_path,)))


def test_synthetic_patients_need_brain_maps(tmp_path):
    """An anatomy folder without maps is named."""
    config = TrainConfig(output=tmp_path / "run", anatomy=tmp_path, synthetic_cases=2)
    with pytest.raises(CaseError, match="no brain maps"):
        train(config)


def test_training_leaves_all_that_a_person_needs(tiny):
    """Averaged weights with their card, settings, split, logs and curves are there at the end."""
    reports = []
    tiny = replace(tiny, drop_modality=0.5)
    weights = train(tiny, on_progress=reports.append, on_notice=quietly)
    assert reports[-1].fraction == 1
    assert reports[-1].step == 3
    assert 0 <= reports[-1].waiting <= 1
    network, card = load_checkpoint(weights)
    assert card.recipe == tiny.recipe
    assert card.may_lack == card.modalities
    assert (card.training["real_patients"], card.training["steps"]) == (1, 3)
    with torch.inference_mode():
        assert network(torch.zeros(1, 4, 16, 16, 16)).shape == (1, 3, 16, 16, 16)
    assert losses(tiny).shape == (3, 2)
    assert (tiny.output / "curves.png").stat().st_size > 5000
    assert read_config(tiny.output) == tiny
    split = json.loads((tiny.output / "split.json").read_text())
    assert [len(split[part]) for part in ("train", "holdout")] == [1, 0]
    assert list((tiny.output / "tensorboard").rglob("events*"))


@pytest.mark.slow
def test_a_resumed_training_is_the_uninterrupted_one(tiny, tmp_path):
    """Stopped after any step and resumed: the same samples, losses and weights, to the bit."""
    whole = replace(tiny, steps=5, check_steps=2, output=tmp_path / "whole", cache=tmp_path / "c")
    train(whole, on_notice=quietly)
    broken = replace(whole, output=tmp_path / "broken")
    steps = iter([False, False, True])
    train(broken, on_notice=quietly, stop=lambda: next(steps))
    assert len(losses(broken)) == 3
    train(replace(broken, resume=True), on_notice=quietly)
    np.testing.assert_array_equal(losses(broken), losses(whole))
    first, _ = load_checkpoint(whole.output / "dresunet3d-lite.safetensors")
    second, _ = load_checkpoint(broken.output / "dresunet3d-lite.safetensors")
    for (name, one), two in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, two, rtol=0, atol=0, msg=name)


@pytest.mark.slow
def test_other_settings_do_not_resume(tiny):
    """What differs is named with both values; nothing is written, nor without --resume."""
    train(replace(tiny, steps=1), on_notice=quietly)
    before = (tiny.output / "config.json").read_bytes()
    with pytest.raises(TakenError, match="holds a training already"):
        train(replace(tiny, steps=1), on_notice=quietly)
    with pytest.raises(TrainingError, match=r"batch was 2 and is 1"):
        train(replace(tiny, batch=1, resume=True), on_notice=quietly)
    assert (tiny.output / "config.json").read_bytes() == before


@pytest.mark.slow
def test_going_on_from_weights(tiny, tmp_path):
    """--start begins where the weights ended, and the new card tells what they had been through.

    They may be gone before the first check.
    """
    first = train(tiny, on_notice=quietly)
    config = replace(tiny, start=str(first), output=tmp_path / "next", learning_rate=0.0)
    for other in ({"model": "unet3d"}, {"recipe": "isensee2017"}):
        with pytest.raises(TrainingError, match="same network, size, modalities and outputs"):
            train(replace(config, **other), on_notice=pytest.fail)
    before, _ = load_checkpoint(first)

    def remove(_):
        first.with_suffix(".json").unlink(missing_ok=True)

    after, card = load_checkpoint(train(config, on_notice=quietly, on_progress=remove))
    assert not first.with_suffix(".json").exists()
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(old, new, msg=name)
    assert card.training["started_from"]["steps"] == 3


@pytest.mark.slow
def test_going_on_from_weights_on_another_grid(tiny, tmp_path):
    """It is said aloud, and the card of the new weights tells both recipes."""
    first = train(tiny, on_notice=quietly)
    finer = replace(tiny, start=str(first), output=tmp_path / "next", recipe="brain-1.25mm")
    said = []
    _, card = load_checkpoint(train(finer, on_notice=said.append))
    assert f"trained with --recipe {tiny.recipe} and goes on with brain-1.25mm" in said[0]
    assert card.recipe == "brain-1.25mm"
    assert card.training["started_from"]["recipe"] == tiny.recipe


@pytest.mark.parametrize(
    "model",
    [pytest.param(n, marks=[pytest.mark.slow] * (n != DEFAULT_MODEL)) for n in MODELS],
)
def test_every_network_trains(tiny, model, tmp_path, make_patient_folder):
    """One step of any row of the registry, 2D or 3D, is taken, measured and kept as the best."""
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00006", shape=(34, 36, 32), seed=9)
    config = replace(
        tiny, model=model, crop=(32, 32, 16), steps=1, holdout=1, data=(*tiny.data, other)
    )
    reports = []
    weights = train(config, on_progress=reports.append, on_notice=quietly)
    assert reports[-1].holdout_dice is not None
    assert load_checkpoint(weights)[1].architecture == model
    best = read_log(config.output / "log")["dice"][-1, 1]
    assert best == pytest.approx(np.mean(reports[-1].holdout_dice))
    assert weights.with_name(f"{model}-lite-best.safetensors").is_file()


@pytest.mark.slow
def test_no_better_dice_ends_early(tiny, tmp_path, make_patient_folder):
    """A learning rate of 0 improves nothing: the training ends after the first check without."""
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00006", shape=(34, 36, 32), seed=9)
    config = replace(
        tiny, data=(*tiny.data, other), holdout=1, learning_rate=0.0, weight_decay=0.0,
        average=0.0, steps=9, check_steps=1, patience=1,
    )  # fmt: skip
    train(config, on_notice=quietly)
    assert len(losses(config)) < 9


@pytest.mark.slow
def test_a_resumed_training_keeps_to_what_it_was_told_last(
    tiny, tmp_path, make_patient_folder, monkeypatch
):
    """More patience and more steps count from then on, without being said a second time."""

    def never_better(network, images, **_):
        return np.full((3, *images.shape[1:]), -1.0, np.float32)

    monkeypatch.setattr("napari_brats.training.module.predict_logits", never_better)
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00006", shape=(34, 36, 32), seed=9)
    config = replace(tiny, data=(*tiny.data, other), holdout=1, steps=9, check_steps=1, patience=1)
    train(config, on_notice=quietly)
    assert len(losses(config)) == 2
    train(replace(config, resume=True, patience=3, steps=12), on_notice=quietly)
    assert len(losses(config)) == 4
    assert read_config(config.output) == replace(config, patience=3, steps=12)


@pytest.mark.slow
def test_patience_needs_held_out_patients(tiny):
    """With nobody to watch the training goes to its end and says why."""
    lines = []
    train(replace(tiny, steps=2, check_steps=1, patience=1), on_notice=lines.append)
    assert len(losses(tiny)) == 2
    assert any("--patience does not count" in line for line in lines)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"crop": (20, 16, 16)}, "multiples of 16"),
        ({"crop": (16, 16, 0), "model": "kermi2018"}, "give --crop"),
        ({"batch": 0}, r"--batch is 0; give 1 or more"),
        ({"minutes": 0.0}, r"--minutes is 0; give 0.001 or more"),
        ({"synthetic_share": 1.5}, r"--synthetic-share is 1.5; give a number from 0 to 1"),
        ({"steps": 0}, r"'ours' has none"),
    ],
)
def test_settings_that_cannot_be(tiny, setting, words):
    """What fits is named before anything is computed."""
    with pytest.raises(TrainingError, match=words):
        train(replace(tiny, **setting), on_notice=quietly)
    assert not tiny.output.exists()


@pytest.mark.slow
def test_a_check_is_no_waiting(tiny, tmp_path, make_patient_folder, monkeypatch):
    """The time for held-out patients is not counted as time without samples, and is theirs."""
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00006", shape=(34, 36, 32), seed=9)
    backgrounds = []

    def slow(network, images, *, engine, device, background):
        time.sleep(1.5)
        backgrounds.append(background)
        return np.full((3, *images.shape[1:]), -1.0, np.float32)

    monkeypatch.setattr("napari_brats.training.module.predict_logits", slow)
    config = replace(
        tiny, data=(*tiny.data, other), holdout=1, steps=2, check_steps=1, model="kermi2018",
        recipe="kermi2018",
    )  # fmt: skip
    reports = []
    train(config, on_progress=reports.append, on_notice=quietly)
    assert backgrounds == [-9.0, -9.0]
    assert reports[-1].seconds > 1.5
    assert reports[-1].waiting * reports[-1].seconds < 1.5


def test_devices_without_numbers():
    """Apple's GPU is "mps:0" to torch and "mps" to us."""
    names = [device_name(torch.device(name)) for name in ("mps:0", "cpu", "cuda:1")]
    assert names == ["mps", "cpu", "cuda:1"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"batch": 2}, 3),
        ({"batch": 2, "devices": 2}, 2),
        ({"batch": 1, "devices": 2, "nodes": 2}, 2),
        ({"crop": (16, 16, 1), "batch": 10}, 9),
        ({"crop": (16, 16, 1), "batch": 10, "preset": "seed", "model": "kermi2018"}, 27),
    ],
)
def test_an_epoch_shows_each_patient_once(tiny, sample_path, given, expected):
    """Five patients of 18 slices: all processes share them; Kermi has three crops a slice."""
    config = replace(tiny, **given)
    assert _epoch_steps(config, preset_of(config), [sample_path] * 5) == expected
    assert _epoch_steps(config, preset_of(config), []) == 250


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_network_trains_as_its_authors_did(tiny, model, monkeypatch):
    """One step of the seed preset: its loss, outputs, optimizer, recipe and sample."""
    given = {"output": tiny.output, "data": tiny.data, "holdout": 0, "workers": 0, "fuse": False}
    small = {"crop": (32, 32, 1 if MODELS[model].ndim == 2 else 32), "batch": 2, "size": "lite"}
    config = config_of_preset("seed", model, **given, **small, steps=1, device="cpu")
    monkeypatch.setattr("napari_brats.training.preparation._has_tumor", lambda *args: True)
    weights = train(config, on_notice=quietly)
    _, card = load_checkpoint(weights)
    preset = preset_for("seed", model)
    assert card.recipe == preset.recipe
    assert card.outputs == LOSSES[preset.loss].outputs
    assert card.training["loss"] == LOSSES[preset.loss].title
    assert np.isfinite(losses(config)).all()
