"""A cache holds what was used last, and no more than it may."""

import os
from pathlib import Path

import pytest

from napari_brats.inference import openvino_models
from napari_brats.inference.places import make_room, touch
from napari_brats.networks.registry import create_model


def _entry(folder: Path, name: str, size: int, used: float) -> Path:
    entry = folder / name
    entry.mkdir()
    (entry / "content").write_bytes(bytes(size))
    os.utime(entry, (used, used))
    return entry


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    """Entries stay by their last use, not by when they were made."""
    for number, name in enumerate(["first", "second", "third"]):
        _entry(tmp_path, name, 100, 1000 + number)
    touch(tmp_path / "first")
    make_room(tmp_path, 200)
    assert _names(tmp_path) == {"first", "third"}


def test_the_newest_stays_however_large(tmp_path: Path) -> None:
    """A network larger than the cache may be is kept all the same, alone."""
    _entry(tmp_path, "old", 10, 1000)
    _entry(tmp_path, "huge", 1000, 2000)
    make_room(tmp_path, 200)
    assert _names(tmp_path) == {"huge"}


@pytest.mark.slow
def test_a_converted_network_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three networks the one that was read again outlives the one that was not."""
    pytest.importorskip("openvino")
    monkeypatch.setenv("NAPARI_BRATS_CACHE", str(tmp_path))
    networks = [create_model("unet3d", "lite", width=2) for _ in range(3)]
    folders = []
    for age, network in zip((1000, 2000), networks, strict=False):
        openvino_models.converted(network, (32, 32, 32))
        (made,) = _names(tmp_path / "openvino") - {folder.name for folder in folders}
        folders.append(tmp_path / "openvino" / made)
        os.utime(folders[-1], (age, age))
    openvino_models.converted(networks[0], (32, 32, 32))
    size = sum(file.stat().st_size for file in folders[0].iterdir())
    monkeypatch.setattr(openvino_models, "_KEPT_BYTES", 5 * size // 2)
    openvino_models.converted(networks[2], (32, 32, 32))
    assert folders[0].is_dir()
    assert not folders[1].exists()
    assert len(_names(tmp_path / "openvino")) == 2
