"""Weights and their card are two files: put in place so that a kill between them costs neither.

The new card lies hidden beside the pair until both are in place. Whoever reads in between
takes the card that has the SHA-256 of the weights, be they the old or the new ones.
"""

import contextlib
import os
from pathlib import Path

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import Card, read_card_file
from napari_brats.volumes import sha256_of, write_bytes_atomic, write_json_atomic


def write_pair(weights: Path, card_path: Path, raw: bytes, card: Card) -> None:
    """Write weights and card over what is there; killed at any point, a whole pair is found.

    Parameters
    ----------
    weights, card_path : Path
        Where to; `own_card` finds the card of what lies there.
    raw : bytes
        Of the weights' file.
    card : Card
        With its SHA-256.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    coming = _coming(card_path)
    if own_card(weights, card_path) == coming:  # a writing before this one was killed
        write_bytes_atomic(card_path, coming.read_bytes())
    write_json_atomic(coming, card.to_json())
    try:
        write_bytes_atomic(weights, raw)
        write_json_atomic(card_path, card.to_json())
    finally:
        if own_card(weights, card_path) != coming:
            with contextlib.suppress(OSError):
                coming.unlink()


def own_card(weights: Path, card_path: Path) -> Path:
    """Return where the card of some weights lies: ``card_path``, or hidden after a kill."""
    coming = _coming(card_path)
    if not os.path.isfile(coming):
        return card_path
    try:
        found = sha256_of(weights)
        if os.path.isfile(card_path) and read_card_file(card_path).sha256 == found:
            return card_path
        return coming if read_card_file(coming).sha256 == found else card_path
    except (OSError, CheckpointError):
        return card_path


def _coming(card_path: Path) -> Path:
    return card_path.with_name(f".{card_path.stem}.coming.json")
