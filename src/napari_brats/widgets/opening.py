"""Read a patient in the background and build its layers there, ready to be added.

Building the first layers of a session costs napari 0.8 s of imports and unit tables
(measured), and each later one its thumbnail: all of that stays out of the event loop.
"""

from collections.abc import Container, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_brats.case import Case, load_case
from napari_brats.editing.review import read_review
from napari_brats.editing.states import State
from napari_brats.errors import BratsError, CaseError, ReviewError
from napari_brats.naming import PatientFiles, find_patients, why_not_a_patient
from napari_brats.plugin.display import UNITS
from napari_brats.plugin.layers import LayerData, case_layers, mask_layer, tissue_appearance
from napari_brats.plugin.masks import (
    mask_title,
    read_mask,
    saved_masks,
    stamp_of,
    untouched_path,
)
from napari_brats.plugin.tags import tag_of
from napari_brats.widgets.origins import keep_origin


@dataclass(frozen=True)
class PatientRow:
    """One line of the patients' list.

    Parameters
    ----------
    files : PatientFiles
        The patient.
    segmented : bool
        Whether a mask of ours lies beside it.
    state : State
        How the work on it stands.
    more : Mapping[str, Path]
        Masks that lie elsewhere and are shown too, by what made them. Saving one makes a new
        file beside the patient.
    hidden : frozenset of Path
        Masks beside the patient that are not shown.
    """

    files: PatientFiles
    segmented: bool
    state: State = State.NOT_STARTED
    more: Mapping[str, Path] = field(default_factory=dict)
    hidden: frozenset[Path] = frozenset()

    @property
    def image(self) -> Path:
        """A file that stands for the patient."""
        return next(iter(self.files.images.values()))


@dataclass(frozen=True)
class Opened:
    """A patient that was read, and what could not be."""

    case: Case
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Arrival:
    """One layer of a patient, as a tuple and, where it needs a new layer, built already."""

    data: LayerData
    layer: Any


def list_patients(path: Path) -> list[PatientRow]:
    """Find the patients at a path and whether masks of ours lie beside them.

    Raises
    ------
    CaseError
        If there is no patient; the message says what was found.
    """
    rows = [
        PatientRow(
            files,
            bool(saved_masks(next(iter(files.images.values())), files.case_id)),
            _state(files),
        )
        for files in find_patients(path)
    ]
    if not rows:
        raise CaseError(why_not_a_patient(path))
    return rows


def _state(files: PatientFiles) -> State:
    """Return how a case stands; one whose reviews cannot be read says so when it is opened."""
    try:
        return read_review(files).state
    except ReviewError:
        return State.NOT_STARTED


def build_layer(data: LayerData) -> Any:
    """Turn a layer tuple into a napari layer; needs no window, so any thread may do it."""
    from napari.layers import Layer

    return Layer.create(*data)


def read_layers(
    patient: PatientRow, view_convention: str, slots: Container[tuple[str, str]] = ()
) -> Generator[Arrival, None, Opened]:
    """Read a patient and yield its layers one by one, lowest first.

    Parameters
    ----------
    patient : PatientRow
        Who is read, and which masks.
    view_convention : str
        Row of `VIEW_CONVENTIONS`.
    slots : container of (role, title)
        Layers that need not be built, because the window has one to refill.

    Yields
    ------
    Arrival
        Images, reference, then the saved masks, oldest first, then those from elsewhere.

    Returns
    -------
    Opened
    """
    case = load_case(patient.files)
    for data in case_layers(case, view_convention):
        tag = tag_of(data[1]["metadata"])
        refilled = tag is not None and (tag.role, tag.title) in slots
        yield Arrival(data, None if refilled else build_layer(data))
    notes = list(case.notes)
    saved = reversed(saved_masks(patient.image, case.case_id))
    shown = [path for path in saved if path not in patient.hidden]
    masks = [(mask_title(path, case.case_id), path, path) for path in shown]
    for title, path, own in (*masks, *((name, path, None) for name, path in patient.more.items())):
        stamp = stamp_of(path)
        try:
            tissues = read_mask(path, case)
        except BratsError as error:
            notes.append(str(error))
            continue
        mask = mask_layer(case, tissues, title, view_convention, path=own, stamp=stamp)
        layer = build_layer(mask)
        _recall_origin(layer, path, case)
        yield Arrival(mask, layer)
    return Opened(case, tuple(notes))


def _recall_origin(layer: Any, path: Path, case: Case) -> None:
    """Let a mask know what it was before it was corrected; else, and by default, what it is."""
    untouched = untouched_path(path)
    tag = tag_of(layer.metadata)
    if tag is not None and untouched.is_file():
        with suppress(BratsError):
            keep_origin(layer, tag.display.to_display(read_mask(untouched, case)))
    keep_origin(layer)


def warm_up() -> Generator[None, None, None]:
    """Make napari load what its first layers need (0.8 s, measured), before one is asked for."""
    voxels = np.zeros((2, 2, 2), np.uint8)
    keywords = {"units": UNITS, "scale": (1.0, 1.0, 1.0)}
    build_layer((voxels, {**keywords, "contrast_limits": (0.0, 1.0)}, "image"))
    yield
    build_layer((voxels, {**keywords, **tissue_appearance()}, "labels"))
