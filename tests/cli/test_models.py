"""``napari-brats models`` and its actions, from a file to a model that has a name."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

import napari_brats
from napari_brats.cli import main
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import added_names
from napari_brats.networks.registry import MODELS

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tiny untrained network's state dict, with an empty user's folder."""
    import torch

    from napari_brats.networks.registry import create_model

    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    torch.save(create_model("unet3d", width=1).state_dict(), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_from_a_pickle_to_a_model_with_a_name(checkpoint: Path, capsys: Captured) -> None:
    """Import, add, list, show, remove: each says what it did; the table gains a line."""
    output = str(checkpoint.with_name("ward.safetensors"))
    how = ["--model", "unet3d", "--options", '{"width": 1}', "--recipe", "unet3d"]
    assert main(["models", "import", str(checkpoint), *how, "--output", output]) == 0
    captured = capsys.readouterr()
    assert f"models add {output}" in captured.out
    assert "nnU-Net" in captured.err
    assert main(["models", "add", output]) == 0
    assert "use it with --model ward" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert [row["name"] for row in rows] == [*MODELS, "ward"]
    assert main(["models"]) == 0
    assert "ward" in capsys.readouterr().out
    assert main(["models", "show", "ward"]) == 0
    text = capsys.readouterr().out
    for words in ("ward", "recipe: unet3d", "needs: flair, t1ce, t2", "imported from: net.pt"):
        assert words in text
    assert main(["models", "remove", "ward", "--yes"]) == 0
    assert added_names() == []


def test_all_together_are_listed_from_two_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """The list says what ``--model all`` would average."""
    monkeypatch.setattr("napari_brats.networks.card.WEIGHTS_FOLDER", tmp_path)
    for model in ("unet3d", "kermi2018"):
        card = Card(f"{model}-lite", model, "lite", "brain-2mm", ("flair",), "regions")
        (tmp_path / f"{model}-lite.json").write_text(json.dumps(card.to_json()))
        (tmp_path / f"{model}-lite.safetensors").touch()
        assert main(["models"]) == 0
        listed = "all: 2 networks averaged" in capsys.readouterr().out
        assert listed == (model == "kermi2018")


@pytest.mark.parametrize("arguments", [["--json", "show"], ["show", "--json"]])
def test_json_before_and_after_the_action(arguments: list[str], capsys: Captured) -> None:
    """Wherever ``--json`` stands, the card is the one object on stdout."""
    assert main(["models", *arguments, "dresunet3d"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] == "dresunet3d"


@pytest.mark.parametrize(("answer", "stays"), [("y\n", False), ("no\n", True), ("", True)])
def test_removing_asks(
    answer: str,
    stays: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    """Only yes removes; where nobody can be asked, ``--yes`` is needed."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path))
    for suffix in (".json", ".safetensors"):
        (tmp_path / f"mine{suffix}").touch()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["models", "remove", "mine"]) == 2
    assert "add --yes" in capsys.readouterr().err
    person = io.StringIO(answer)
    person.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", person)
    assert main(["models", "remove", "mine"]) == (2 if stays else 0)
    assert added_names() == (["mine"] if stays else [])


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nothing"],
        ["add", "nothing.safetensors"],
        ["remove", "dresunet3d", "--yes"],
        ["download", "nothing"],
        ["import", "nothing.h5", "--model", "unet3d", "--output", "out.safetensors"],
    ],
)
def test_mistakes_are_one_line(arguments: list[str], capsys: Captured) -> None:
    """Every action refuses what is not there."""
    assert main(["models", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_going_back_to_the_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """An adapted model is removed and its origin named; what was not adapted has none."""
    import dataclasses

    from napari_brats.networks.checkpoint import read_card
    from napari_brats.networks.installing import add_model
    from napari_brats.volumes import write_json_atomic

    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    assert main(["models", "rollback", "dresunet3d"]) == 2
    assert "was not adapted" in capsys.readouterr().err
    card = read_card("dresunet3d")
    training = {"adapted_from": "dresunet3d", "adapted_from_sha256": card.sha256}
    weights = Path(napari_brats.__file__).parent / "weights" / "dresunet3d-lite.safetensors"
    shutil.copy(weights, tmp_path / "new.safetensors")
    adapted = dataclasses.replace(card, name="ward", training=training)
    write_json_atomic(tmp_path / "new.json", adapted.to_json())
    add_model(tmp_path / "new.safetensors")
    assert main(["models", "rollback", "ward"]) == 0
    assert "go on with --model dresunet3d" in capsys.readouterr().out
    assert added_names() == []
