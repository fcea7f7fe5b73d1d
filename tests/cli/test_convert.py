"""``napari-brats convert``: what it prints, and how it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.cli import main

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]
CASE = "BraTS2021_00005"


def test_files_and_losses_are_named(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """Beside the mask by default; what is lost stands on stderr."""
    mask = make_patient_folder(tmp_path) / f"{CASE}_seg.nii.gz"
    assert main(["convert", "labels", str(mask), "--to", "brats-men-rt"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"written: {mask.parent / f'{CASE}_seg_brats-men-rt.nii.gz'}\n"
    assert "no code for edema" in captured.err
    output = str(tmp_path / "npy")
    options = ["--crop", "8", "8", "8", "--output", output, "--json"]
    assert main(["convert", "npy", str(mask.parent), *options]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in content["written"]] == [
        "box.json", "images.npy", "mask.npy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["labels", "{mask}"], "--to"),
        (["mesh", "{folder}/none.nii.gz"], "cannot be read"),
        (["npy", "{folder}", "--to", "msd"], "--to is for mask-png and labels, not for npy"),
        (["labels", "{mask}", "--like", "{folder}"], "--like is for png-mask"),
        (["png-mask", "{mask}", "--like", "{folder}"], "is no folder"),
        (["mask-png", "{folder}/BraTS2021_00005_t1.nii.gz"], "--labels"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    make_patient_folder: MakePatient,
    capsys: Captured,
) -> None:
    """Found, expected, what to do."""
    folder = make_patient_folder(tmp_path)
    mask = folder / f"{CASE}_seg.nii.gz"
    filled = [part.format(mask=mask, folder=folder) for part in arguments]
    assert main(["convert", *filled]) == 2
    assert message in capsys.readouterr().err


def test_names_for_other_programs(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """Beside the mask, under its name, in the codes of its own edition; the mask stays."""
    mask = make_patient_folder(tmp_path) / f"{CASE}_seg.nii.gz"
    before = mask.read_bytes()
    for name, ending in (("itksnap-labels", ".label"), ("slicer-colors", ".ctbl")):
        assert main(["convert", name, str(mask)]) == 0
        written = mask.with_name(f"{CASE}_seg{ending}")
        assert capsys.readouterr().out == f"written: {written}\n"
        assert "4" in [line.split()[0] for line in written.read_text().splitlines()]
    assert mask.read_bytes() == before
    assert main(["convert", "slicer-colors", str(mask), "--output", str(mask)]) == 2
    assert ".ctbl" in capsys.readouterr().err
