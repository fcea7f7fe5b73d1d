"""Versions of a model: their names, and the way back."""

from dataclasses import replace

import pytest

from napari_brats.errors import CheckpointError
from napari_brats.networks.catalog import added_names, user_folder
from napari_brats.networks.checkpoint import save_checkpoint
from napari_brats.networks.installing import add_model, remove_model
from napari_brats.networks.lineage import (
    lasting_name,
    next_version,
    parent_of,
    roll_back,
    seen_by,
)


@pytest.fixture
def family(trained, tmp_path, monkeypatch):
    """A model and one that was adapted from it, both added."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    network, card = trained("unet3d")
    first = save_checkpoint(network, replace(card, name="ward"), tmp_path / "ward")
    add_model(tmp_path / "ward.safetensors")
    training = {"adapted_from": "ward", "adapted_from_sha256": first.sha256}
    next_card = replace(card, name="ward-adapted", training=training)
    save_checkpoint(network, next_card, tmp_path / "ward-adapted")
    add_model(tmp_path / "ward-adapted.safetensors")
    return next_card


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("dresunet3d", "dresunet3d-adapted"),
        ("dresunet3d-lite", "dresunet3d-adapted"),
        ("ward-7", "ward-7-adapted"),
        ("runs/net.safetensors", "net-adapted"),
        ("ward", "ward-adapted-v2"),
        ("ward-adapted", "ward-adapted-v2"),
        ("ward-adapted-v2", "ward-adapted-v2"),
    ],
)
def test_the_next_version_is_free(model, name, monkeypatch):
    """Names go on from the model's own, and no model's is taken twice."""
    monkeypatch.setattr("napari_brats.networks.lineage.added_names", lambda: ["ward-Adapted"])
    assert next_version(model) == name


def test_a_model_has_seen_what_its_ancestors_have(family):
    """All generations are counted; a model that was never adapted has seen nothing that counts."""
    assert seen_by(family) == frozenset()
    older = {"learned_from": "a, b", "started_from": None}
    card = replace(family, training={"learned_from": "c", "started_from": {"started_from": older}})
    assert seen_by(card) == {"a", "b", "c"}


def test_going_back_removes_the_new_and_names_the_old(family):
    """The model that it came from is there and whole."""
    assert parent_of(family) == "ward"
    assert roll_back("ward-adapted") == "ward"
    assert added_names() == ["ward"]


def test_without_an_origin_nothing_is_removed(family):
    """Not adapted, its origin gone, or another under its name: refused."""
    with pytest.raises(CheckpointError, match="was not adapted"):
        roll_back("ward")
    card = user_folder() / "ward.json"
    text = card.read_text()
    card.write_text(text.replace('"sha256": "', '"sha256": "0'))
    with pytest.raises(CheckpointError, match="not there any more or has changed"):
        roll_back("ward-adapted")
    card.write_text(text)
    remove_model("ward")
    with pytest.raises(CheckpointError, match="not there any more or has changed"):
        roll_back("ward-adapted")
    assert added_names() == ["ward-adapted"]


def test_a_file_is_found_again_from_another_folder(family, tmp_path, monkeypatch):
    """Names stay names; of a file, also one that is called like a model, the whole path."""
    monkeypatch.chdir(tmp_path)
    assert lasting_name("ward") == "ward"
    assert lasting_name("dresunet3d-lite") == "dresunet3d-lite"
    assert lasting_name("./ward.safetensors") == str(tmp_path / "ward.safetensors")
    monkeypatch.chdir(user_folder())
    assert lasting_name("./ward") == str(user_folder() / "ward.safetensors")
