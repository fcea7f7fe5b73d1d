"""Users' mistakes and machines' limits at the command line: one line, exit code 2, no file."""

import errno
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.cli import main
from napari_brats.networks.card import Card
from napari_brats.preprocessing.recipes import RECIPES

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny untrained network, saved with its card."""
    from napari_brats.networks.checkpoint import save_checkpoint
    from napari_brats.networks.registry import create_model

    recipe = RECIPES["brain-1.5mm"]
    card = Card("tiny", "dresunet3d", "lite", recipe.name, recipe.modalities, "regions")
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(create_model("dresunet3d", "lite"), card, path)
    return path


def refused(capsys: Captured, folder: Path, *options: str) -> str:
    """Run `segment`, which must refuse in one line and leave no file; return the line."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert main(["segment", str(folder), *options]) == 2
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_pickle_is_never_opened(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """A checkpoint that would run a program is refused by its name, and by its content."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    folder = make_patient_folder(tmp_path)
    for name in ("weights.pt", "weights.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
        refused(capsys, folder, "--model", str(tmp_path / name))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("model", ["dresunet4d", "", ".", "/", "n" * 300])
def test_a_model_that_is_neither_name_nor_file(
    model: str, tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """A typo in the model's name, or a folder, is answered with the names."""
    line = refused(capsys, make_patient_folder(tmp_path), "--model", model)
    assert "dresunet3d" in line


def test_a_name_that_no_disk_takes(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured, checkpoint: Path
) -> None:
    """A file name that is too long is a mistake, not a crash."""
    target = tmp_path / f"{'n' * 300}.nii.gz"
    options = ["--model", str(checkpoint), "--device", "cpu", "--output", str(target)]
    assert "too long" in refused(capsys, make_patient_folder(tmp_path), *options)


def test_a_patient_path_that_no_disk_takes(capsys: Captured) -> None:
    """A path that is too long does not exist."""
    assert main(["segment", "n" * 5000]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_missing_modality_is_named(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured, checkpoint: Path
) -> None:
    """The line says which modality the model needs and the case lacks."""
    folder = make_patient_folder(tmp_path, modalities=["t1", "t1ce", "t2"])
    assert "flair" in refused(capsys, folder, "--model", str(checkpoint))


def test_cuda_where_there_is_none(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    capsys: Captured,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that is not there is refused, not replaced silently."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    folder = make_patient_folder(tmp_path)
    line = refused(capsys, folder, "--model", str(checkpoint), "--device", "cuda")
    assert "--device" in line


def test_a_read_only_folder(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The case's folder cannot be written: the line points to --output."""
    folder = make_patient_folder(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "--output" in refused(capsys, folder)


@pytest.mark.parametrize("option", ["--output", "--probabilities"])
def test_a_full_disk(
    option: str,
    tmp_path: Path,
    make_patient_folder: MakePatient,
    capsys: Captured,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A write that fails half-way leaves nothing, and an earlier mask as it was."""
    folder = make_patient_folder(tmp_path)
    target = folder / "mine.nii.gz"
    target.write_bytes(b"an earlier mask")

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    others = ["--output", str(tmp_path)] if option == "--probabilities" else []
    options = ["--model", str(checkpoint), "--device", "cpu", *others, option, str(target)]
    assert "disk is full" in refused(capsys, folder, *options)
    assert target.read_bytes() == b"an earlier mask"
    assert not list(tmp_path.glob("*mask*"))


@pytest.mark.parametrize("kind", ["empty", "other"])
def test_a_folder_without_a_patient(kind: str, tmp_path: Path, capsys: Captured) -> None:
    """An empty folder and one of another dataset are told apart from a patient."""
    if kind == "other":
        (tmp_path / "photo.jpg").touch()
    assert "expected names such as" in refused(capsys, tmp_path)
