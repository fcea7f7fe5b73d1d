"""``napari-brats figure`` and ``animate``: files in, a picture out, and how they refuse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from napari_brats.cli import main

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]
CASE = "BraTS2021_00005"


@pytest.fixture
def patient(tmp_path: Path, make_patient_folder: MakePatient) -> Path:
    """Return a patient with a reference, and a saved mask that equals it."""
    folder = make_patient_folder(tmp_path)
    shutil.copy(folder / f"{CASE}_seg.nii.gz", folder / f"{CASE}_net_mask.nii.gz")
    return folder


def test_the_saved_mask_is_drawn_beside_the_patient(patient: Path, capsys: Captured) -> None:
    """Without options: newest mask, the patient's reference, a PNG with a telling name."""
    assert main(["figure", "difference", str(patient)]) == 0
    path = patient / f"{CASE}_net_difference.png"
    assert capsys.readouterr().out == f"figure: {path}\n"
    with Image.open(path) as picture:
        assert picture.format == "PNG"


def test_animation_as_json(patient: Path, tmp_path: Path, capsys: Captured) -> None:
    """One object on stdout that names the file."""
    output = tmp_path / "sweep.gif"
    assert main(["animate", "sweep", str(patient), "--output", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"animation": "sweep", "output": str(output)}
    with Image.open(output) as picture:
        assert picture.is_animated


def test_several_masks_and_another_reference(patient: Path, tmp_path: Path) -> None:
    """Readers are drawn together; --reference takes the place of the patient's own."""
    mask = patient / f"{CASE}_net_mask.nii.gz"
    second = shutil.copy(mask, tmp_path / f"{CASE}_reader_mask.nii.gz")
    options = ["--mask", str(mask), "--mask", str(second), "--reference", str(second)]
    output = tmp_path / "readers.svg"
    assert main(["figure", "contours", str(patient), *options, "--output", str(output)]) == 0
    assert "reader" in output.read_text()


def test_tables_of_evaluate_are_drawn(patient: Path, tmp_path: Path) -> None:
    """What ``evaluate --csv`` writes is what ``figure`` reads."""
    table = tmp_path / "net.csv"
    mask = patient / f"{CASE}_net_mask.nii.gz"
    assert main(["evaluate", str(mask), str(patient), "--csv", str(table)]) == 0
    assert main(["figure", "raincloud", str(table), "--metric", "nsd"]) == 0
    assert (tmp_path / "net_raincloud.png").is_file()


def test_a_trainings_log_is_drawn(tmp_path: Path, capsys: Captured) -> None:
    """Into the training's folder, from the log that Lightning wrote."""
    log = tmp_path / "run" / "log" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("step,loss,dice_WT\n0,0.9,\n1,0.7,0.4\n")
    assert main(["figure", "curves", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "curves.png").is_file()
    assert "curves.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["overview", "{patient}", "--mask", "{mask}", "--mask", "{mask}"], "shows one mask"),
        (["overview", "{patient}", "{patient}"], "takes one path"),
        (["overview", "{patient}", "--output", "{patient}/x.jpg"], "no name of a .png"),
        (["overview", "{patient}", "--output", "{mask}/x.png"], "is a file"),
        (["curves", "{patient}"], "holds no log"),
        (["boxes", "{mask}"], "cannot read"),
        (["boxes", "{patient}/none.csv"], "No such file"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, patient: Path, capsys: Captured
) -> None:
    """What was found, and what to do; nothing is written."""
    before = set(patient.iterdir())
    mask = patient / f"{CASE}_net_mask.nii.gz"
    filled = [part.format(patient=patient, mask=mask) for part in arguments]
    assert main(["figure", *filled]) == 2
    assert message in capsys.readouterr().err
    assert set(patient.iterdir()) == before


def test_what_is_missing_is_named(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """No mask, no reference: the message says which option gives one."""
    folder = make_patient_folder(tmp_path, reference=False)
    assert main(["figure", "overview", str(folder)]) == 2
    assert "--mask" in capsys.readouterr().err
    image = folder / f"{CASE}_t1.nii.gz"
    mask = folder / f"{CASE}_net_mask.nii.gz"
    shutil.copy(make_patient_folder(tmp_path / "b") / f"{CASE}_seg.nii.gz", mask)
    assert main(["figure", "confusion", str(image)]) == 2
    assert "--reference" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no table of scores"),
        ("case,region,dice\n", "no table of scores"),
        ("case,region,dice\nc,WT,good\n", "line 2, dice: 'good' is no number"),
        ("case,region,dice\nc,GTV,0.5\n", "none of WT, TC, ET"),
    ],
)
def test_wrong_tables_are_refused(
    text: str, message: str, tmp_path: Path, capsys: Captured
) -> None:
    """The line and the column are named."""
    table = tmp_path / "scores.csv"
    table.write_text(text)
    assert main(["figure", "boxes", str(table)]) == 2
    assert message in capsys.readouterr().err


def test_a_seed_is_a_whole_number(patient: Path, capsys: Captured) -> None:
    """What no generator takes is refused by the parser."""
    with pytest.raises(SystemExit) as stop:
        main(["figure", "sheet", str(patient), "--seed", "-1"])
    assert stop.value.code == 2
    assert "'-1' is no seed" in capsys.readouterr().err
