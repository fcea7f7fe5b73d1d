import json
from dataclasses import replace

import pytest
import torch

from napari_brats.errors import CaseError, OutputError, TrainingError
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import MODELS
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.config import TrainConfig
from napari_brats.training.loop import _cache_patients, train
from napari_brats.training.trainer import Trainer, WeightAverage, one_cycle

# forking in a process with threads: DataLoader's default on Linux, harmless for its workers
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def tiny(tmp_path, make_patient_folder):
    """A configuration that trains in seconds on one tiny patient."""
    return TrainConfig(
        output=tmp_path / "run",
        data=(make_patient_folder(tmp_path, shape=(34, 36, 32)),),
        holdout=0,
        steps=3,
        batch=2,
        crop=(16, 16, 16),
        fuse=False,
        mixed_precision=False,
        device="cpu",
    )


def test_nothing_to_train_on(tmp_path):
    """Empty case: neither data nor anatomy."""
    with pytest.raises(CaseError, match="nothing to train on"):
        list(train(TrainConfig(output=tmp_path / "run")))


def test_a_folder_that_cannot_be_made(tmp_path):
    """The output folder is named, with the option that chooses another."""
    (tmp_path / "file").touch()
    config = TrainConfig(output=tmp_path / "file" / "run", data=(tmp_path,))
    with pytest.raises(OutputError, match="--output"):
        list(train(config))


def test_a_folder_without_patients_trains_nothing(tmp_path):
    """Folders are given, but no patient with a reference is in them."""
    with pytest.raises(CaseError, match="no training samples"):
        list(train(TrainConfig(output=tmp_path / "run", data=(tmp_path,))))


def test_patients_of_one_folder_are_told_apart(tmp_path, make_patient_folder):
    """The Decathlon keeps all images in one folder: each patient has its own sample."""
    for number in (1, 2):
        image = make_patient_folder(tmp_path / "msd", "msd-task01", case_id=f"BRATS_00{number}")
    config = TrainConfig(data=(image.parent.parent,), output=tmp_path / "out")
    found = _cache_patients(config, RECIPES["brain-1mm"], tmp_path, lambda line: None)
    assert [path.name[:9] for path in found] == ["BRATS_001", "BRATS_002"]


def test_synthetic_patients_need_brain_maps(tmp_path):
    """An anatomy folder without maps is named."""
    config = TrainConfig(output=tmp_path / "run", anatomy=tmp_path, synthetic_cases=2)
    with pytest.raises(CaseError, match="no brain maps"):
        list(train(config))


def test_training_leaves_a_checkpoint_that_loads(tiny):
    """The averaged weights, their card and the log are there at the end."""
    reports = list(train(tiny, on_notice=lambda line: None))
    assert reports[-1].fraction == 1
    assert reports[-1].step == 3
    network, card = load_checkpoint(tiny.output / "dresunet3d-lite.safetensors")
    assert card.recipe == tiny.recipe
    assert card.training["real_patients"] == 1
    with torch.inference_mode():
        assert network(torch.zeros(1, 4, 16, 16, 16)).shape == (1, 3, 16, 16, 16)
    log = json.loads((tiny.output / "log.json").read_text())
    assert len(log["reports"]) == len(reports)


def test_going_on_from_weights(tiny, tmp_path):
    """--start begins where the weights ended, and the new card tells what they had been through."""
    list(train(tiny, on_notice=lambda line: None))
    first = tiny.output / "dresunet3d-lite.safetensors"
    config = replace(tiny, start=str(first), output=tmp_path / "next", learning_rate=0.0)
    list(train(config, on_notice=lambda line: None))
    before, _ = load_checkpoint(first)
    after, card = load_checkpoint(config.output / first.name)
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(old, new, msg=name)
    assert card.training["started_from"]["steps"] == 3
    with pytest.raises(TrainingError, match="same network, size and recipe"):
        list(train(replace(config, model="unet3d"), on_notice=lambda line: None))


@pytest.mark.parametrize("model", MODELS)
def test_every_network_trains(tiny, model, tmp_path, make_patient_folder):
    """One step of any row of the registry, 2D or 3D, changes its weights and is measured."""
    other = make_patient_folder(tmp_path, case_id="BraTS2021_00006", shape=(34, 36, 32))
    config = replace(
        tiny, model=model, crop=(32, 32, 16), steps=1, holdout=1, data=(*tiny.data, other)
    )
    (report,) = train(config, on_notice=lambda line: None)
    assert report.holdout_dice is not None
    assert load_checkpoint(config.output / f"{model}-lite.safetensors")[1].architecture == model


def test_a_crop_that_the_network_cannot_take(tiny):
    """The sizes that fit are named before anything is computed."""
    with pytest.raises(TrainingError, match="multiples of 16"):
        list(train(replace(tiny, crop=(20, 16, 16)), on_notice=lambda line: None))


def test_a_loss_that_is_not_a_number_stops_with_the_cure(tiny, monkeypatch):
    """Training never goes on from a broken loss, and the message says what to lower."""
    monkeypatch.setattr(Trainer, "_step", lambda *args: float("nan"))
    with pytest.raises(TrainingError, match="learning-rate"):
        list(train(tiny, on_notice=lambda line: None))


def test_the_average_follows_constant_weights():
    """The running average of weights that do not move is those weights."""
    network = torch.nn.Linear(2, 2)
    average = WeightAverage(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(3.0)
    for _ in range(200):
        average.update(network)
    torch.testing.assert_close(average.state["weight"], network.weight.detach())


def test_one_cycle_rises_then_falls():
    """The rate peaks after the warm-up and ends at 1 %."""
    rates = [one_cycle(i / 100) for i in range(101)]
    assert max(rates) == pytest.approx(1, abs=0.02)
    assert rates.index(max(rates)) == 5
    assert rates[-1] == pytest.approx(0.01)
    assert all(rate > 0 for rate in rates)
