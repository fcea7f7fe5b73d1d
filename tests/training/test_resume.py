from dataclasses import replace
from pathlib import Path

import pytest

from napari_brats.errors import TakenError, TrainingError
from napari_brats.training.config import TrainConfig
from napari_brats.training.resume import (
    STATE_NAME,
    check_unused,
    read_config,
    state_to_resume,
    write_config,
)


@pytest.fixture
def config(tmp_path):
    return TrainConfig(
        output=tmp_path,
        data=(Path("a"), Path("b")),
        cache=Path("c"),
        minutes=1.5,
        crop=(16, 32, 16),
    )


@pytest.mark.parametrize("content", [None, "{", "{}x", '{"colour": 1}', "[]"])
def test_no_training_to_resume(tmp_path, content):
    """A folder without the settings of a training, or with others' settings, is named."""
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(TrainingError, match="--output the folder of an interrupted training"):
        read_config(tmp_path)


def test_settings_survive_the_disk(config):
    """Paths, tuples and numbers come back as they were."""
    write_config(config)
    assert read_config(config.output) == config


@pytest.mark.parametrize(
    "name", [STATE_NAME, "dresunet3d-lite.safetensors", "dresunet3d-lite-best.safetensors"]
)
def test_no_training_is_written_over(config, name):
    """A folder with a state or with weights is refused; one without its first check is not."""
    write_config(config)
    check_unused(config)
    (config.output / name).touch()
    with pytest.raises(TakenError, match=r"holds a training already .*--resume.*--output"):
        check_unused(config)


def test_a_training_without_checkpoint_starts_again(config):
    """It stopped too early: the cure is to leave --resume out."""
    write_config(config)
    with pytest.raises(TrainingError, match="without --resume"):
        state_to_resume(config)


def test_schedule_and_machine_may_change(config):
    """Length, device and workers are free; what decides the samples is not."""
    write_config(config)
    (config.output / STATE_NAME).touch()
    longer = replace(config, resume=True, steps=9, device="cpu", workers=3, minutes=None)
    assert state_to_resume(longer) == config.output / STATE_NAME
    with pytest.raises(TrainingError, match="seed was 0 and is 1"):
        state_to_resume(replace(longer, seed=1))
