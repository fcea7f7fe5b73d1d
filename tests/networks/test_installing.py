"""Adding a model copies it whole or not at all; removing takes only what was added."""

import json
import os

import pytest

from napari_brats.errors import CheckpointError, OutputError
from napari_brats.networks import installing
from napari_brats.networks.catalog import added_names
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.installing import add_model, check_folder, remove_model
from napari_brats.networks.registry import MODELS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's folder."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def refused(path, match, name=None):
    """Check that a checkpoint is not added, and nothing is left of it."""
    before = added_names()
    with pytest.raises((CheckpointError, OutputError), match=match) as caught:
        add_model(path, name)
    assert "\n" not in str(caught.value)
    assert added_names() == before


def test_the_copy_is_the_checkpoint(saved, folder):
    """Weights byte by byte and the card's every field, under the card's name by default."""
    card = add_model(saved)
    assert card == read_card(saved) == read_card("unet3d-test")
    assert (folder / "unet3d-test.safetensors").read_bytes() == saved.read_bytes()
    assert len(list(folder.iterdir())) == 2


def test_another_name_is_written_into_the_card(saved):
    """Masks are named after the card, so the card takes the name that it was given."""
    assert add_model(saved, "mine").name == read_card("mine").name == "mine"
    assert read_card(saved).name == "unet3d-test"


@pytest.mark.parametrize("name", [*MODELS, "unet3d-lite", "UNet3D", "Mine"])
def test_taken_names_are_refused(saved, name):
    """Networks' names and, whatever their case, names of added models."""
    add_model(saved, "mine")
    refused(saved, "bundled weights|already; give another name with --name", name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "../x", "a/b", "a\\b", "a b", "x.", "NUL", "com1.x",
             "n" * 81, "x.json", "x.Safetensors", "ü", "a\n"]
)  # fmt: skip
def test_names_that_no_disk_should_take(saved, name):
    """A name is a plain file name on every system."""
    refused(saved, "cannot be called|taken for a file", name)


def test_what_does_not_fit_its_card_is_not_copied(saved, monkeypatch):
    """Shapes are compared before a tensor is read, and the SHA-256 after."""
    path = saved.with_suffix(".json")
    card = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**card, "sha256": "0" * 64}), "utf-8")
    refused(saved, "has SHA-256")
    monkeypatch.setattr("napari_brats.networks.checkpoint.read_tensors", None)
    path.write_text(json.dumps({**card, "options": {"width": 3}}), "utf-8")
    refused(saved, "parameters, but")
    refused(saved.parent / "absent.safetensors", "nor a .safetensors file")
    refused(saved.with_suffix(".h5"), "models import")


def test_a_copy_that_fails_leaves_nothing(saved, folder, monkeypatch):
    """A disk that is full at the card takes the weights back; damage on the way is noticed."""

    def full(*_):
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(installing, "write_json_atomic", full)
        refused(saved, "disk is full")
        patch.setattr(installing.shutil, "copyfile", lambda _, to: to.write_bytes(b"else"))
        refused(saved, "read back differently")
    assert list(folder.iterdir()) == []


def test_only_what_was_added_is_removed(saved, folder):
    """A removed model is gone; bundled ones, unknown ones and paths are refused."""
    add_model(saved, "mine")
    for name, match in [
        ("dresunet3d", "comes with napari-brats"),
        ("other", "added models: mine"),
        (str(saved), "no model"),
        ("../net", "no model"),
    ]:
        with pytest.raises(CheckpointError, match=match):
            remove_model(name)
    remove_model("mine")
    assert list(folder.iterdir()) == []
    assert saved.is_file()


def test_half_a_model_can_be_removed(saved, folder):
    """What a crash left is no obstacle for ever."""
    add_model(saved, "mine")
    os.unlink(folder / "mine.json")
    remove_model("mine")
    assert added_names() == []


def test_a_folder_that_takes_no_model_is_known_beforehand(folder, monkeypatch):
    """Long work that ends in a model asks first; what can be written to stays empty."""
    check_folder()
    assert list(folder.iterdir()) == []
    (folder / "file").touch()
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(folder / "file"))
    with pytest.raises(OutputError, match=r"no model can be added.*NAPARI_BRATS_MODELS"):
        check_folder()
