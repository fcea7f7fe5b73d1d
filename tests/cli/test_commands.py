"""Each command, from its arguments to what it prints."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_brats.cli import main
from napari_brats.inference.costs import Run, remember
from napari_brats.networks.card import Card
from napari_brats.networks.registry import MODELS
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.regions import LABEL_CONVENTIONS

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("fake_predictor")
def test_segment_saves_beside_the_case(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """Without options the mask lies in the patient's folder and the table shows the Dice."""
    folder = make_patient_folder(tmp_path)
    assert main(["segment", str(folder)]) == 0
    mask = folder / "BraTS2021_00005_dresunet3d-lite_mask.nii.gz"
    assert mask.is_file()
    text = capsys.readouterr().out
    assert "1.000" in text
    assert text.rstrip().endswith(str(mask))


@pytest.mark.usefixtures("fake_predictor")
def test_segment_json(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """One object on stdout, nothing of the table."""
    output = tmp_path / "m.nii.gz"
    folder = make_patient_folder(tmp_path)
    probabilities = tmp_path / "p.nii.gz"
    options = ["--output", str(output), "--probabilities", str(probabilities), "--json"]
    assert main(["segment", str(folder), *options]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["output"] == str(output)
    assert output.is_file()
    assert nib.load(probabilities).shape == (20, 22, 18, 3)


@pytest.mark.usefixtures("fake_predictor")
def test_segment_takes_one_file_of_a_patient(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A modality's file stands for the patient; its siblings are found."""
    folder = make_patient_folder(tmp_path)
    assert main(["segment", str(folder / "BraTS2021_00005_t1.nii.gz")]) == 0
    assert (folder / "BraTS2021_00005_dresunet3d-lite_mask.nii.gz").is_file()


@pytest.mark.usefixtures("fake_predictor")
def test_segment_states_the_rule_for_empty_regions(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """A region that the edition does not have scores by the rule, which is printed."""
    folder = make_patient_folder(tmp_path, "brats-men-rt", modalities=["t1ce"])
    assert main(["segment", str(folder)]) == 0
    assert "empty in both" in capsys.readouterr().out


def test_segment_hands_its_options_on(
    tmp_path: Path, make_patient_folder: MakePatient, fake_predictor: list[tuple[str, ...]]
) -> None:
    """Model, device, engine and precision arrive as they were given."""
    folder = make_patient_folder(tmp_path)
    where = ["--model", "unet3d", "--device", "cuda:1"]
    how = ["--engine", "torch", "--precision", "float16"]
    assert main(["segment", str(folder), *where, *how]) == 0
    assert fake_predictor == [("unet3d", "cuda:1", "torch", "float16")]


def test_segment_without_weights_says_how_to_get_some(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    """Random weights are never used."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr("napari_brats.networks.card.WEIGHTS_FOLDER", tmp_path / "weights")
    folder = make_patient_folder(tmp_path)
    assert main(["segment", str(folder), "--model", "kermi2018"]) == 2
    assert "napari-brats train --model kermi2018" in capsys.readouterr().err
    assert not list(folder.glob("*_mask*"))


def test_segment_with_a_real_network(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """The whole way: a checkpoint on disk, a tiny untrained network, a mask on the grid."""
    from napari_brats.networks.checkpoint import save_checkpoint
    from napari_brats.networks.registry import create_model

    checkpoint = tmp_path / "tiny.safetensors"
    recipe = RECIPES["brain-1.5mm"]
    save_checkpoint(
        create_model("dresunet3d", "lite", width=1),
        Card("tiny", "dresunet3d", "lite", recipe.name, recipe.modalities, "regions", {"width": 1}),
        checkpoint,
    )
    folder = make_patient_folder(tmp_path)
    output = tmp_path / "mask.nii.gz"
    options = ["--model", str(checkpoint), "--device", "cpu", "--output", str(output), "--json"]
    assert main(["segment", str(folder), *options]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["model"] == "tiny"
    assert content["device"] == "cpu"
    assert min(content["seconds"].values()) >= 0
    mask, source = nib.load(output), nib.load(folder / "BraTS2021_00005_t1.nii.gz")
    assert mask.shape == source.shape
    assert np.array_equal(mask.affine, source.affine)


def test_segment_with_two_networks_and_without_t1(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """``a+b``, mirrored, a modality missing: file, JSON and notice say so."""
    from napari_brats.networks.checkpoint import save_checkpoint
    from napari_brats.networks.registry import create_model

    recipe, names = RECIPES["brain-2mm"], ("one", "two")
    for name in names:
        card = Card(
            name, "dresunet3d", "lite", recipe.name, recipe.modalities, "regions", {"width": 1},
            may_lack=("t1",),
        )  # fmt: skip
        save_checkpoint(create_model("dresunet3d", "lite", width=1), card, tmp_path / name)
    folder = make_patient_folder(tmp_path, modalities=["t1ce", "t2", "flair"])
    both = "+".join(str(tmp_path / f"{name}.safetensors") for name in names)
    options = ["--model", both, "--mirror", "--device", "cpu", "--json"]
    assert main(["segment", str(folder), *options]) == 0
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert content["model"] == "one+two"
    assert content["members"] == ["one", "two"]
    assert content["mirrored"] is True
    assert content["missing"] == ["t1"]
    assert "'BraTS2021_00005' has no t1; one and two must do without it" in captured.err
    mask = folder / "BraTS2021_00005_one+two-mirrored_mask.nii.gz"
    assert content["output"] == str(mask)
    assert mask.is_file()
    assert main(["models", "show", both, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["members"]
    assert [card["may_lack"] for card in shown] == [["t1"]] * 2


def test_evaluate(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """A mask against itself scores 1; JSON and table say the same."""
    reference = make_patient_folder(tmp_path) / "BraTS2021_00005_seg.nii.gz"
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(reference.read_bytes())
    assert main(["evaluate", str(copy), str(reference), "--json"]) == 0
    regions = json.loads(capsys.readouterr().out)["regions"]
    assert {score["dice"] for score in regions.values()} == {1.0}
    assert main(["evaluate", str(copy), str(reference)]) == 0
    assert "1.000" in capsys.readouterr().out


@pytest.mark.parametrize("convention", LABEL_CONVENTIONS)
def test_every_convention_can_be_chosen(
    convention: str, tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """``--labels`` takes every row of the table."""
    folder = make_patient_folder(tmp_path, "brats-men-rt")
    mask = str(next(folder.glob("*gtv*")))
    assert main(["evaluate", mask, mask, "--labels", convention]) == 0


def test_models_json_has_the_published_counts(capsys: Captured) -> None:
    """Every row of the registry with its parameters at both sizes."""
    assert main(["models", "--json"]) == 0
    models = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert list(models) == list(MODELS)
    assert models["dresunet3d"]["parameters"]["paper"] == 6_487_620
    for row in models.values():
        assert {"ndim", "parameters", "weights", "dice", "recipe", "paper"} <= set(row)


def test_models_table_names_all(capsys: Captured) -> None:
    """The table has a line for every network."""
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    for spec in MODELS.values():
        assert f"{spec.parameters['paper']:,}" in text


def test_models_say_what_they_take_here(capsys: Captured) -> None:
    """From earlier runs, in the table and as figures."""
    assert main(["models"]) == 0
    assert "doctor --bench" in capsys.readouterr().out
    remember(Run("dresunet3d-lite", "torch", "CPU", False, 100, 0.5, 1.25, 10**8))
    assert main(["models"]) == 0
    assert "1.2" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert rows["dresunet3d"]["here"]["seconds"] == 1.25
    assert rows["unet3d"]["here"] is None
