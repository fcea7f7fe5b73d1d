"""What breaks in the middle of a training stops it with a cure, and it can be resumed."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_brats.errors import OutputError, TrainingError
from napari_brats.training.curves import read_log
from napari_brats.training.loop import train
from napari_brats.training.module import RegionTraining

pytestmark = pytest.mark.slow


def quietly(line):
    """Take a notice and say nothing."""


def losses(config):
    return read_log(config.output / "log")["loss"]


@pytest.mark.parametrize("broken", [1, 99])
def test_gradients_that_are_not_finite_are_passed_over(tiny, monkeypatch, broken):
    """One broken step changes no weight; training ends with a cure if they do not stop."""
    passed_over = RegionTraining.on_before_optimizer_step
    left = iter(range(broken))

    def step(self, optimizer):
        if next(left, None) is not None:
            next(self.network.parameters()).grad.fill_(torch.nan)
        passed_over(self, optimizer)

    monkeypatch.setattr(RegionTraining, "on_before_optimizer_step", step)
    config = replace(tiny, steps=12)
    if broken == 1:
        train(config, on_notice=quietly)
        assert np.isfinite(losses(config)).all()
        return
    with pytest.raises(TrainingError, match=r"of 11 steps in a row up to step 11 .*lower"):
        train(config, on_notice=quietly)


def test_a_loss_that_is_not_a_number_stops_with_the_cure(tiny, monkeypatch):
    """Training never goes on from a broken loss; the last good state is kept and resumes."""
    config = replace(tiny, steps=4, check_steps=2)
    good = RegionTraining.training_step
    broken = iter([False, False, True])

    def step(self, batch, number):
        loss = good(self, batch, number)
        self.loss = torch.nn.Identity() if next(broken, False) else self.loss
        return loss

    monkeypatch.setattr(RegionTraining, "training_step", step)
    monkeypatch.setattr(torch.nn.Identity, "forward", lambda self, *args: torch.tensor(torch.nan))
    with pytest.raises(TrainingError, match=r"\(now 0.002\) and train again"):
        train(config, on_notice=quietly)
    monkeypatch.undo()
    train(replace(config, resume=True), on_notice=quietly)
    assert len(losses(config)) == 4


def test_a_full_disk_keeps_what_was_written(tiny, monkeypatch):
    """No room for a checkpoint: one line says so, and the earlier one still resumes."""
    import lightning.pytorch

    train(replace(tiny, steps=1), on_notice=quietly)

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lightning.pytorch.Trainer, "save_checkpoint", full)
    with pytest.raises(OutputError, match="No space left"):
        train(replace(tiny, resume=True), on_notice=quietly)
    monkeypatch.undo()
    train(replace(tiny, resume=True), on_notice=quietly)
    with next((tiny.output / "log").glob("version_*")).joinpath("metrics.csv").open() as file:
        assert "learning_rate" in next(csv.reader(file))
