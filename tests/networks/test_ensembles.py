"""``a+b`` and ``all``: which models they mean, and what is known of them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_brats.errors import CheckpointError
from napari_brats.networks import card as card_module
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import list_models
from napari_brats.networks.ensembles import (
    fingerprints,
    joint_name,
    may_lack,
    members_of,
    ours,
    read_cards,
    scores_path,
)
from napari_brats.networks.installing import add_model, check_new_name

CARD = Card("a-lite", "unet3d", "lite", "brain-2mm", ("flair",), "regions")


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    """Return what puts cards among the bundled ones, with weights that are never read."""
    monkeypatch.setattr(card_module, "WEIGHTS_FOLDER", tmp_path)

    def put(*models):
        for model in models:
            card = replace(CARD, name=f"{model}-lite", architecture=model, sha256=model)
            (tmp_path / f"{model}-lite.json").write_text(json.dumps(card.to_json()))
            (tmp_path / f"{model}-lite.safetensors").touch()

    return put


def test_one_model_is_one_model(saved):
    """A name or a path without a plus means what it says, found or not."""
    for model in ("dresunet3d", str(saved), saved, "nothing"):
        assert members_of(model) == (model,)


def test_a_plus_joins_models(saved):
    """In the order given; each is looked for."""
    assert members_of(f"{saved}+dresunet3d") == (str(saved), "dresunet3d")
    cards = read_cards(f"{saved}+dresunet3d")
    assert [card.name for card in cards] == ["unet3d-test", "dresunet3d-lite"]
    with pytest.raises(CheckpointError, match="no checkpoint 'nothing'"):
        members_of("dresunet3d+nothing")


def test_a_plus_of_a_models_own_name_joins_nothing(saved, tmp_path, monkeypatch):
    """A file, an added model and any Path stay whole."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    for suffix in (".safetensors", ".json"):
        saved.with_suffix(suffix).rename(tmp_path / f"t1+t2{suffix}")
    file = tmp_path / "t1+t2.safetensors"
    add_model(file, "mine+yours")
    for model in (str(file), "mine+yours", Path("dresunet3d+unet3d")):
        assert members_of(model) == (model,)


@pytest.mark.parametrize("model", ["dresunet3d+", "+dresunet3d", "dresunet3d++dresunet3d"])
def test_a_plus_without_a_model_is_refused(model):
    """Nothing before or after it."""
    with pytest.raises(CheckpointError, match=r"no model before or after a \+"):
        members_of(model)


def test_the_same_weights_count_once():
    """Under whatever names: the mean would lean to one side unseen."""
    with pytest.raises(CheckpointError, match="same weights twice, as 'dresunet3d' and"):
        members_of("dresunet3d+dresunet3d-lite")


def test_all_means_all_bundled_weights(bundled):
    """None: an error. Every network that has some, in the table's order; no other's name."""
    with pytest.raises(CheckpointError, match="there are none"):
        members_of("all")
    bundled("unet3d", "dresunet3d")
    assert members_of("all") == ("dresunet3d", "unet3d")
    with pytest.raises(CheckpointError, match="means all bundled weights"):
        check_new_name("All")


def test_all_of_ours_is_a_choice_from_two_on(bundled):
    """One alone is no mean."""
    assert ours(list_models()) is None
    bundled("unet3d")
    assert ours(list_models()) is None
    bundled("kermi2018")
    row = ours(list_models())
    assert (row.name, [card.name for card in row.cards]) == (
        "all",
        ["kermi2018-lite", "unet3d-lite"],
    )


def test_scores_belong_to_the_weights_they_were_measured_with(bundled):
    """Other weights, no file or a damaged one: nothing is claimed."""
    bundled("unet3d", "kermi2018")
    row = ours(list_models())
    assert row.scores == {}
    scores = {"members": fingerprints(row.cards), "mean": {"WT": 0.9}}
    scores_path().write_text(json.dumps(scores))
    assert row.scores["mean"] == {"WT": 0.9}
    assert replace(row, cards=(row.cards[0], replace(row.cards[1], sha256="x"))).scores == {}
    scores_path().write_text("{")
    assert row.scores == {}


def test_together_models_lack_what_each_can_do_without():
    """A model that does not use a modality does not mind; one that needs it does."""
    both = replace(CARD, modalities=("flair", "t1"), may_lack=("flair", "t1"))
    assert may_lack([CARD]) == ()
    assert may_lack([both]) == ("flair", "t1")
    assert may_lack([both, CARD]) == ("t1",)
    assert may_lack([both, replace(both, may_lack=("flair",))]) == ("flair",)


def test_the_joint_name_fits_into_a_files_name():
    """All names where there is room, else the first and how many more."""
    assert joint_name([CARD]) == "a-lite"
    assert joint_name([CARD, replace(CARD, name="b")]) == "a-lite+b"
    long = [replace(CARD, name=f"{'x' * 79}{number}") for number in range(4)]
    assert joint_name(long) == f"{'x' * 79}0+3-others"
    assert joint_name(long[:1]) == long[0].name


def test_models_of_one_name_are_told_apart():
    """Bundled weights beside one's own of the same network: neither hides the other."""
    cards = [replace(CARD, sha256=digest) for digest in ("1", "2", "3")]
    cards.insert(1, replace(CARD, name="a-lite-2", sha256="4"))
    found = fingerprints(cards)
    assert found == {"a-lite": "1", "a-lite-2": "4", "a-lite-3": "2", "a-lite-4": "3"}
    assert joint_name(cards) == "a-lite+a-lite-2+a-lite-3+a-lite-4"
