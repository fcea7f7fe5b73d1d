"""A card is read back as it was written, or refused in one line."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.errors import CheckpointError
from napari_brats.networks import card as card_module
from napari_brats.networks.card import OUTPUTS, SCHEMA, Card, bundled_card, read_card_file

CARD = Card(
    name="unet3d-lite",
    architecture="unet3d",
    size="lite",
    recipe="brain-1mm",
    modalities=("flair", "t1ce", "t2", "t1"),
    outputs="regions",
    options={"width": 4, "dropout_scale": 0.5},
    training={"data": "synthetic", "steps": 3, "seed": 0},
    scores={"dataset": "two cases", "mean": {"WT": 0.5, "TC": 1, "ET": 0.0}},
    limits=("adults only",),
    citation=("Çiçek et al. 2016",),
    sha256="0" * 64,
    parameters=7,
)


def written(tmp_path, value):
    """Write a value as a card's file."""
    path = tmp_path / "card.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def refused(path, match):
    """Check that a file is refused in one line that names it."""
    with pytest.raises(CheckpointError, match=match) as caught:
        read_card_file(path)
    assert "\n" not in str(caught.value)
    assert repr(str(path)) in str(caught.value)


def test_round_trip(tmp_path):
    """JSON and back gives the same card."""
    value = CARD.to_json()
    assert value["schema"] == SCHEMA
    assert read_card_file(written(tmp_path, value)) == CARD


@settings(max_examples=30)
@given(name=st.text(), limits=st.lists(st.text()), parameters=st.integers(0, 10**9))
def test_round_trip_of_any_text(name, limits, parameters):
    """Whatever the texts hold, they come back."""
    card = replace(CARD, name=name, limits=tuple(limits), parameters=parameters)
    assert Card.from_json(json.loads(json.dumps(card.to_json()))) == card


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"schema": 2}, "has schema 2, this version reads 1"),
        ({"schema": None}, "has schema None"),
        ({"color": "red"}, "unknown 'color'"),
        ({"name": 3}, "'name' should be a text, found 3"),
        ({"sha256": None}, "'sha256' should be a text"),
        ({"modalities": "flair"}, "'modalities' should be a list of texts"),
        ({"limits": [1]}, "'limits' should be a list of texts"),
        ({"may_lack": "t1"}, "'may_lack' should be a list of texts"),
        ({"options": []}, "'options' should be an object"),
        ({"least_enhancing_ml": -1}, "'least_enhancing_ml' should be a number of at least 0"),
        ({"least_enhancing_ml": True}, "'least_enhancing_ml' should be a number"),
        ({"parameters": True}, "'parameters' should be a whole number"),
        ({"parameters": -1}, "'parameters' should be a whole number"),
        ({"scores": {"mean": {"WT": 1.5}}}, "'mean' holds numbers from 0 to 1"),
        ({"scores": {"mean": 0.5}}, "'mean' holds numbers from 0 to 1"),
        ({"scores": {"mirrored": {"mean": {"WT": 2}}}}, "numbers from 0 to 1"),
        ({"scores": {"without": {"t1": {"WT": "x"}}}}, "numbers from 0 to 1"),
        ({"scores": {"without": [1]}}, "numbers from 0 to 1"),
        ({"scores": {"mean": {"WT": "x" * 500}}}, r"found \{.{,60}\.\.\.;"),
    ],
)
def test_wrong_fields_are_refused(tmp_path, change, match):
    """A field of the wrong type, an unknown field or another schema is named."""
    refused(written(tmp_path, {**CARD.to_json(), **change}), match)


def test_a_card_from_before_missing_modalities_spares_none(tmp_path):
    """Weights that were saved before the field was there were not trained for it."""
    value = CARD.to_json()
    del value["may_lack"]
    assert read_card_file(written(tmp_path, value)) == CARD
    assert CARD.may_lack == ()


def test_missing_field_is_named(tmp_path):
    """Every field must be there: a default would hide a lost line."""
    value = CARD.to_json()
    del value["recipe"]
    refused(written(tmp_path, value), "missing 'recipe'")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[1]", "expected a JSON object"),
        ('{"schema": NaN}', "not valid JSON"),
        ('{"schema": 1e999}', "not valid JSON"),
        ("[" * 200_000, "not valid JSON"),
        (" " * (2**20 + 1), "over 1 MiB"),
    ],
    ids=["empty", "truncated", "list", "nan", "infinite", "deep", "large"],
)
def test_other_files_are_refused(tmp_path, text, match):
    """Empty, truncated, deeply nested and huge files, and numbers JSON has not."""
    refused(written(tmp_path, text), match)


def test_binary_and_missing_files_are_refused(tmp_path):
    """Bytes that are no text, and no file at all."""
    path = tmp_path / "card.json"
    refused(path, "needs its .json card")
    path.write_bytes(b"\x80\x04\x95")
    refused(path, "not valid JSON")


def test_bundled_card_needs_both_files(tmp_path, monkeypatch):
    """A card without weights is no checkpoint."""
    monkeypatch.setattr(card_module, "WEIGHTS_FOLDER", tmp_path)
    assert bundled_card("unet3d") is None
    (tmp_path / "unet3d-lite.json").write_text(json.dumps(CARD.to_json()), encoding="utf-8")
    assert bundled_card("unet3d") is None
    (tmp_path / "unet3d-lite.safetensors").touch()
    assert bundled_card("unet3d") == CARD


def test_outputs_have_an_activation_and_distinct_channels():
    """Softmax rows hold the background, sigmoid rows do not."""
    for kind in OUTPUTS.values():
        assert len(set(kind.channels)) == len(kind.channels)
        assert ("background" in kind.channels) == (kind.activation == "softmax")
