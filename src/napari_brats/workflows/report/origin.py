"""Where a mask comes from: files and their hashes, the model's card, what a reader changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.editing.journal import read_journal
from napari_brats.editing.places import concerns, journal_files
from napari_brats.errors import CaseError, JournalError
from napari_brats.metrics.overlap import joint_counts, tissue_counts
from napari_brats.networks.card import Card
from napari_brats.networks.card_text import card_rows
from napari_brats.networks.catalog import list_models
from napari_brats.networks.ensembles import PLUS
from napari_brats.plugin.masks import read_mask
from napari_brats.regions import TISSUE_TITLES, Tissue
from napari_brats.volumes import sha256_of
from napari_brats.workflows.segmented import MIRRORED
from napari_brats.workflows.subject import Subject

_CARD_FACTS = (
    "network",
    "mean Dice",
    "scored on",
    "limit",
    "use",
    "license",
    "SHA-256",
)
_RUN_FACTS = {
    "model": "model",
    "software": "software",
    "weights_sha256": "weights, SHA-256",
    "mirrored": "left and right averaged",
    "missing": "did without",
    "device": "device",
    "engine": "engine",
}
_MOST_RUN_BYTES = 2**20
TIME_FORMAT = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class FileFact:
    """One file that went into a report: its role, its name without folders, its hash."""

    role: str
    name: str
    sha256: str
    changed: str


@dataclass(frozen=True)
class Change:
    """Voxels of one tissue that became another: names, and milliliters."""

    before: str
    after: str
    volume_ml: float


@dataclass(frozen=True)
class Journal:
    """Edits that are kept but not saved into a mask: of which mask, how many, until when."""

    title: str
    edits: int
    last: str
    tissues_ml: Mapping[str, float]


def files_of(subject: Subject) -> list[FileFact]:
    """Return mask, reference and images, in this order."""
    case = subject.case
    named = [("mask", path) for path in subject.files.values()]
    if case.reference_path is not None:
        named.append(("reference", case.reference_path))
    roles: dict[Path, list[str]] = {}
    for name, path in case.image_paths.items():
        roles.setdefault(path, []).append(name)
    named += [(", ".join(names), path) for path, names in roles.items()]
    return [FileFact(role, path.name, sha256_of(path), _changed(path)) for role, path in named]


def cards_of(title: str, run: Mapping[str, str]) -> list[Card]:
    """Return the cards of the models that a mask's name names, none if one is not installed.

    What is known of the run, as `run_facts` gives it, tells weights of one name apart.
    """
    rows = list_models()
    known = {row.card.name: row.card for row in rows if row.card is not None}
    names = title.removesuffix(MIRRORED).split(PLUS)
    cards = [known[name] for name in names] if set(names) <= known.keys() else []
    used = run.get(_RUN_FACTS["weights_sha256"])
    return cards if used is None or all(card.sha256 in used for card in cards) else []


def card_facts(card: Card) -> list[tuple[str, str]]:
    """Return what a report says of a model."""
    return [(name, text) for name, text in card_rows(card) if name in _CARD_FACTS]


def run_facts(path: Path, case_id: str) -> dict[str, str]:
    """Return what ``segment --json`` said of the run.

    Raises
    ------
    CaseError
        If the file cannot be read or is about another patient.
    """
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_RUN_BYTES))
    except (OSError, ValueError) as error:
        raise CaseError(
            f"cannot read {str(path)!r}: {error}; give what napari-brats segment --json printed"
        ) from error
    if not isinstance(content, dict) or content.get("case") != case_id:
        found = content.get("case") if isinstance(content, dict) else None
        raise CaseError(
            f"{str(path)!r} is about case {found!r}, not {case_id!r}; give what napari-brats "
            "segment --json printed for this patient"
        )
    facts = {
        title: _plain(content[name]) for name, title in _RUN_FACTS.items() if content.get(name)
    }
    seconds = content.get("seconds")
    if isinstance(seconds, dict) and isinstance(seconds.get("total"), int | float):
        facts["took"] = f"{seconds['total']:.1f} s"
    return facts


def _plain(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, dict):
        value = [f"{name}: {one}" for name, one in value.items()]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def changes_since(before: Path, case: Case, tissues: NDArray[np.uint8]) -> list[Change]:
    """Return what differs between an earlier mask and a later one, the most first.

    Raises
    ------
    CaseError
        If the earlier mask cannot be read or lies on another grid.
    """
    joint = joint_counts(read_mask(before, case), tissues)
    found = [
        Change(TISSUE_TITLES[old], TISSUE_TITLES[new], float(joint[old, new]) * case.voxel_ml)
        for old in Tissue
        for new in Tissue
        if old != new and joint[old, new]
    ]
    return sorted(found, key=lambda change: -change.volume_ml)


def journals_of(case: Case) -> tuple[list[Journal], list[str]]:
    """Return unsaved edits of the patient's masks, and why a journal could not be read."""
    image = next(iter(case.image_paths.values()))
    found, trouble = [], []
    for path in journal_files(case.case_id, image):
        try:
            replay = read_journal(path)
        except JournalError as error:
            trouble.append(str(error).replace(str(path), path.name))
            continue
        if not concerns(replay.subject, path, case.case_id, image) or not replay.edits:
            continue
        counts = tissue_counts(replay.voxels)
        volumes: dict[str, Any] = {
            TISSUE_TITLES[tissue]: float(counts[tissue]) * case.voxel_ml
            for tissue in Tissue
            if tissue and counts[tissue]
        }
        found.append(Journal(replay.subject.title, replay.edits, _time(replay.changed_at), volumes))
    return found, trouble


def _changed(path: Path) -> str:
    return _time(path.stat().st_mtime)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(TIME_FORMAT)
