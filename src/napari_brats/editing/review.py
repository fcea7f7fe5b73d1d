"""Reviews: who looked at a case, which mask they stand for, and how far they are.

A case's reviews lie beside its masks in ``<case>_review.json``, one entry for every time that
somebody marked the case; the last entry says how the case stands. Decisions about places where
masks differ lie there too. docs/reviews.md has the schema. An entry pins the mask's SHA-256:
what is changed afterwards is not reviewed any more.
"""

import getpass
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from napari_brats.editing.decisions import Decision
from napari_brats.editing.states import State
from napari_brats.errors import ReviewError
from napari_brats.naming import Patient
from napari_brats.plugin.masks import results_folder, saved_masks
from napari_brats.volumes import sha256_of, write_json_atomic

SCHEMA = 1

_writing = Lock()
"""Held from reading a file to writing it: a window marks and decides in several threads."""


@dataclass(frozen=True)
class Entry:
    """What one reader said about a case at one time.

    Parameters
    ----------
    state : State
        How far the review is.
    reader : str
        Who says so.
    at : str
        When (UTC, ISO 8601).
    mask : str
        The mask they mean: its file's name if it lies beside the sidecar, else its path;
        empty where there is none.
    mask_sha256 : str
        Of that file as it was then.
    seconds : float
        Time spent since the entry before; 0 where nobody measured.
    notes : str
        Anything.
    """

    state: State
    reader: str = ""
    at: str = ""
    mask: str = ""
    mask_sha256: str = ""
    seconds: float = 0.0
    notes: str = ""


@dataclass(frozen=True)
class Review:
    """All entries and decisions of a case, the oldest first; none: nobody has begun."""

    case_id: str
    entries: tuple[Entry, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def last(self) -> Entry:
        """The entry that counts; one without a reader if nobody has begun."""
        return self.entries[-1] if self.entries else Entry(State.NOT_STARTED)

    @property
    def state(self) -> State:
        """How the case stands."""
        return self.last.state

    @property
    def seconds(self) -> float:
        """Time that all readers spent."""
        return sum(entry.seconds for entry in self.entries)


def review_path(patient: Patient) -> Path:
    """Return where a case's reviews lie or would lie: beside its masks."""
    folder = results_folder(patient.image)
    return folder / f"{patient.case_id}_review.json"


def read_review(patient: Patient) -> Review:
    """Return the reviews of a case; none yet is no error.

    Raises
    ------
    ReviewError
        If the file is damaged, of another case or of a newer version.
    """
    path = review_path(patient)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Review(patient.case_id)
    except (OSError, ValueError) as error:
        raise ReviewError(
            f"cannot read the reviews {str(path)!r}: {error}; restore the file from a copy, or "
            "remove it and mark the case again"
        ) from error
    return _from_json(value, patient.case_id, path)


def mark(
    patient: Patient,
    state: State,
    reader: str,
    *,
    mask: Path | None = None,
    seconds: float = 0.0,
    notes: str = "",
) -> Review:
    """Add an entry to a case's reviews and write them, whole or not at all.

    Parameters
    ----------
    patient : Patient
        The case.
    state : State
        How far the review is.
    reader : str
        Who says so.
    mask : Path, optional
        The mask they stand for. By default that of the last entry if it is still there, else
        the case's only saved mask.
    seconds, notes : float, str
        As in `Entry`.

    Returns
    -------
    Review
        With the new entry.

    Raises
    ------
    ReviewError
        If nobody is named, or the case is called done or handed on and no mask, or more than
        one, could be meant.
    OutputError
        If it cannot be written; the reviews are then as they were.
    """
    if not reader.strip():
        raise ReviewError(
            f"nobody is named as the reader of {patient.case_id!r}; give a name (--reader)"
        )
    with _writing:
        review = read_review(patient)
        chosen = mask or _meant(patient, review)
        if chosen is None and state in (State.SECOND_READER, State.DONE):
            raise ReviewError(_which(patient))
        if chosen is not None and not chosen.is_file():
            raise ReviewError(
                f"there is no mask {str(chosen)!r}; save it first or name another file"
            )
        entry = Entry(
            state,
            reader.strip(),
            _now(),
            mask="" if chosen is None else _written(chosen, review_path(patient).parent),
            mask_sha256="" if chosen is None else sha256_of(chosen),
            seconds=seconds,
            notes=notes,
        )
        return _write(patient, replace(review, entries=(*review.entries, entry)))


def decide(patient: Patient, decisions: Sequence[Decision]) -> Review:
    """Add decisions about places to a case's reviews; how the case stands is left as it is.

    Parameters
    ----------
    patient : Patient
        The case.
    decisions : sequence of Decision
        In the order in which they were made; those without a time get the present one.

    Returns
    -------
    Review
        With the new decisions.

    Raises
    ------
    ReviewError
        If what is there cannot be read.
    OutputError
        If it cannot be written; the reviews are then as they were.
    """
    with _writing:
        review = read_review(patient)
        new = (replace(decision, at=decision.at or _now()) for decision in decisions)
        return _write(patient, replace(review, decisions=(*review.decisions, *new)))


def mask_of(patient: Patient, entry: Entry) -> Path | None:
    """Return the file of the mask that an entry stands for, there or not."""
    return review_path(patient).parent / entry.mask if entry.mask else None


def likely_reader() -> str:
    """Return the name under which the person is logged in; empty if that is unknown."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _write(patient: Patient, review: Review) -> Review:
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "case": review.case_id,
        "entries": [*map(asdict, review.entries)],
    }
    if review.decisions:
        values["decisions"] = [decision.to_json() for decision in review.decisions]
    write_json_atomic(review_path(patient), values)
    return review


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _meant(patient: Patient, review: Review) -> Path | None:
    """Return the mask that a reader who names none must mean, if that is certain."""
    before = mask_of(patient, review.last)
    if before is not None and before.is_file():
        return before
    masks = saved_masks(patient.image, patient.case_id)
    return masks[0] if len(masks) == 1 else None


def _which(patient: Patient) -> str:
    masks = saved_masks(patient.image, patient.case_id)
    if not masks:
        return (
            f"{patient.case_id!r} has no saved mask to stand for; save one, or name its file "
            "(--mask)"
        )
    names = ", ".join(sorted(path.name for path in masks))
    return (
        f"{patient.case_id!r} has {len(masks)} saved masks ({names}); name the one you stand for "
        "(--mask)"
    )


def _written(mask: Path, folder: Path) -> str:
    mask, folder = mask.absolute(), folder.absolute()
    return mask.name if mask.parent == folder else str(mask)


def _from_json(value: Any, case_id: str, path: Path) -> Review:
    """Check parsed JSON and make reviews of it; fields that are unknown are left alone."""
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else value
        raise ReviewError(
            f"{str(path)!r} holds no reviews of schema {SCHEMA} but {found!r}; update "
            "napari-brats, or remove the file and mark the case again"
        )
    if value.get("case") != case_id:
        raise ReviewError(
            f"{str(path)!r} holds the reviews of {value.get('case')!r}, not of {case_id!r}; "
            "move it to where that case lies"
        )
    try:
        entries = tuple(_entry(item) for item in value["entries"])
        decisions = tuple(Decision.from_json(item) for item in value.get("decisions", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise ReviewError(
            f"{str(path)!r} holds an entry or decision that cannot be read ({error}); correct it, "
            "or remove the file and mark the case again"
        ) from error
    return Review(case_id, entries, decisions)


def _entry(item: Mapping[str, Any]) -> Entry:
    texts = {name: str(item.get(name, "")) for name in ("reader", "at", "mask", "mask_sha256")}
    return Entry(
        State(item["state"]),
        **texts,
        seconds=float(item.get("seconds", 0.0)),
        notes=str(item.get("notes", "")),
    )
