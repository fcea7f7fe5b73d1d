"""A kill at any point of writing weights and card leaves a pair that belongs together."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.errors import CheckpointError, OutputError
from napari_brats.networks import pair
from napari_brats.networks.card import Card, read_card_file
from napari_brats.networks.catalog import find_checkpoint
from napari_brats.networks.checkpoint import load_checkpoint, save_checkpoint

States = Callable[[Path, int], list[Path]]


def content(number: int) -> tuple[bytes, Card]:
    """Return the bytes of some weights, and their card."""
    raw = bytes([number]) * 100
    card = Card(
        f"net-{number}", "unet3d", "paper", "brain-2mm", ("t1", "t1ce", "t2", "flair"), "regions",
        sha256=hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip
    return raw, card


def read(folder: Path) -> int:
    """Return the number of the pair that is found in a folder; 0 where there is none."""
    try:
        weights, card_path = find_checkpoint(folder / "net.safetensors")
    except CheckpointError:
        assert not (folder / "net.safetensors").exists()
        return 0
    raw, card = content(weights.read_bytes()[0])
    assert (weights.read_bytes(), read_card_file(card_path)) == (raw, card)
    return raw[0]


@pytest.fixture
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> States:
    """Write a pair into a folder; return copies of it as kills on the way would leave it."""
    copies: list[Path] = []

    def every(folder: Path, number: int) -> list[Path]:
        first = len(copies)

        def snapshot() -> None:
            copies.append(tmp_path / f"state-{len(copies)}")
            shutil.copytree(folder, copies[-1])

        replace = os.replace

        def replaced(source: Path, target: Path) -> None:
            snapshot()
            replace(source, target)
            snapshot()

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replaced)
            raw, card = content(number)
            pair.write_pair(folder / "net.safetensors", folder / "net.json", raw, card)
        assert not (folder / ".net.coming.json").exists()
        assert read(folder) == number
        return copies[first:]

    return every


def test_a_kill_leaves_the_old_pair_or_the_new_one(tmp_path: Path, states: States) -> None:
    """Where there was none, over an older one, and again over what a kill has left."""
    (folder := tmp_path / "run").mkdir()
    assert [read(state) for state in states(folder, 1)] == [0, 0, 0, 1, 1, 1]
    left = states(folder, 2)
    assert [read(state) for state in left] == [1, 1, 1, 2, 2, 2]
    for state in left:
        before = read(state)
        found = [read(later) for later in states(state, 3)]
        assert found == sorted(found)
        assert set(found) == {before, 3}


def test_a_card_that_belongs_wins_over_a_hidden_one(tmp_path: Path) -> None:
    """What a person added to a card is not hidden by what a kill has left; nor is a mix-up."""
    weights, card_path = tmp_path / "net.safetensors", tmp_path / "net.json"
    raw, card = content(1)
    pair.write_pair(weights, card_path, raw, card)
    hidden = pair._coming(card_path)
    shutil.copy(card_path, hidden)
    assert pair.own_card(weights, card_path) == card_path
    weights.write_bytes(content(2)[0])
    assert pair.own_card(weights, card_path) == card_path  # neither belongs: refused as before
    card_path.write_text("{")
    weights.write_bytes(raw)
    assert pair.own_card(weights, card_path) == card_path  # damaged: said, not passed over


def test_weights_whose_card_cannot_be_written_are_usable(
    saved: Path, monkeypatch: pytest.MonkeyPatch, trained
) -> None:
    """A disk that is full between the two: the error is told, and the new weights load."""
    network, card = trained("unet3d", seed=1)
    write = pair.write_json_atomic

    def full(path: Path, value: object) -> None:
        if path.name == "net.json":
            raise OutputError("the disk is full")
        write(path, value)

    monkeypatch.setattr(pair, "write_json_atomic", full)
    with pytest.raises(OutputError, match="disk is full"):
        save_checkpoint(network, card, saved)
    loaded, _ = load_checkpoint(saved)
    assert loaded.state_dict()["head.bias"].equal(network.state_dict()["head.bias"])
