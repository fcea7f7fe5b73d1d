"""Models are found in one way: bundled, added by the user, or a file."""

import shutil
import subprocess
import sys

import pytest

from napari_brats.errors import CheckpointError
from napari_brats.networks import card as card_module
from napari_brats.networks.catalog import (
    added_names,
    bundled_models,
    find_checkpoint,
    list_models,
    user_folder,
)
from napari_brats.networks.checkpoint import load_checkpoint, read_card
from napari_brats.networks.installing import add_model
from napari_brats.networks.registry import MODELS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The user's folder, which is not there yet."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_list_models_says_which_have_weights(monkeypatch, tmp_path):
    """Every network is listed; one without weights has no card and no Dice."""
    monkeypatch.setattr(card_module, "WEIGHTS_FOLDER", tmp_path)
    rows = list_models()
    assert [row.name for row in rows] == list(MODELS)
    shown = rows[1].to_json()
    assert shown["weights"] is None
    assert shown["dice"] is None
    assert shown["parameters"] == {"paper": 76_431_716, "lite": 2_978_771}
    assert shown["published"][0]["dice"] == {"WT": 0.8862, "TC": 0.6721, "ET": 0.6756}


def test_listing_models_needs_no_torch():
    """The command line lists models and reads cards without the seconds torch takes."""
    code = (
        "import sys; from napari_brats.networks.catalog import list_models; "
        "import napari_brats.networks.installing, napari_brats.networks.downloads; "
        "import napari_brats.networks.importing, napari_brats.networks.card_text; "
        "list_models(); assert not {'torch', 'h5py', 'pooch', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_folder_is_the_users_unless_named(monkeypatch, tmp_path):
    """Without the variable, models lie with the user's data; empty counts as without."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.setenv("NAPARI_BRATS_MODELS", "")
    assert "napari-brats" in user_folder().parts
    assert user_folder().name == "models"


def test_an_added_model_is_found_by_its_name(folder, saved):
    """`load_checkpoint`, `read_card` and `list_models` know it; the networks stay as they were."""
    assert added_names() == []
    card = add_model(saved, "ward-7")
    assert added_names() == ["ward-7"]
    assert load_checkpoint("ward-7")[1] == read_card("ward-7") == card
    *networks, row = list_models()
    assert networks == bundled_models()
    assert (row.name, row.spec.name, row.card) == ("ward-7", "unet3d", card)
    shown = row.to_json()
    assert (shown["name"], shown["architecture"], shown["added"]) == ("ward-7", "unet3d", True)
    assert shown["parameters"] == {"paper": card.parameters}


@pytest.mark.parametrize("lost", [".json", ".safetensors"])
def test_half_a_model_is_named_and_left_out(folder, saved, lost):
    """One damaged model does not hide the others; asked for, it says what to do."""
    add_model(saved, "whole")
    add_model(saved, "half")
    (folder / f"half{lost}").unlink()
    notices = []
    assert [row.name for row in list_models(notices.append)][-1] == "whole"
    assert len(notices) == 1
    assert "'half'" in notices[0]
    with pytest.raises(CheckpointError, match=r"is missing; .* models remove half`"):
        find_checkpoint("half")


@pytest.mark.parametrize("name", ["unet3d-lite", "dresunet3d", "all"])
def test_a_copy_whose_name_means_other_weights_is_left_out(folder, saved, name):
    """A training's weights are called like the bundled ones, which the name would find."""
    folder.mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(saved.with_suffix(suffix), folder / f"{name}{suffix}")
    notices = []
    assert [row.name for row in list_models(notices.append)] == list(MODELS)
    assert "rename its two files" in notices[0]


def test_a_copy_under_another_name_has_that_name(folder, saved):
    """Masks are named after the card: they must not pass for those of other weights."""
    folder.mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(saved.with_suffix(suffix), folder / f"ward{suffix}")
    assert list_models()[-1].card.name == read_card("ward").name == "ward"
    assert load_checkpoint("ward")[1].name == "ward"
    assert read_card(saved).name == "unet3d-test"


def test_a_card_of_an_unknown_network_is_left_out(folder, saved):
    """A model from a later version does not stop this one."""
    add_model(saved, "later")
    path = folder / "later.json"
    path.write_text(path.read_text("utf-8").replace('"unet3d"', '"unet5d"'), "utf-8")
    notices = []
    assert [row.name for row in list_models(notices.append)] == list(MODELS)
    assert "unet5d" in notices[0]


def test_names_are_names_and_paths_are_paths(folder, saved, monkeypatch):
    """A name never reaches out of the folder; ``./name`` is a file even where a model has it."""
    add_model(saved, "net")
    monkeypatch.chdir(saved.parent)
    assert find_checkpoint("net")[0].parent == folder
    assert find_checkpoint("./net")[0].resolve() == saved
    with pytest.raises(CheckpointError, match=r"neither a model \(.*, net\)"):
        find_checkpoint("../models/absent")


@pytest.mark.parametrize("suffix", [".pt", ".h5"])
def test_other_programs_weights_are_imported_first(suffix, tmp_path):
    """They are not opened here, and the message names the way."""
    with pytest.raises(CheckpointError, match=r"not opened; .*napari-brats models import"):
        find_checkpoint(tmp_path / f"net{suffix}")
