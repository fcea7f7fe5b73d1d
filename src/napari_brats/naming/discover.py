"""Recognize one patient, find all of a dataset, and say why there is none."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.naming.description import IMAGE_FOLDERS, LABEL_FOLDERS
from napari_brats.naming.files import PatientFiles, split_extension
from napari_brats.naming.folder import NESTED_PREFIX, patient_of_file, patients_in
from napari_brats.naming.table import EXTENSIONS, NAMINGS, REFERENCE

MAX_DEPTH = 5
"""How many folders below the root a patient may lie."""

MAX_FOLDERS = 20_000
"""After so many folders without an end, the root is not a dataset."""

_NEVER_DATA = frozenset({"node_modules", "site-packages", "__pycache__", "__MACOSX"})


def recognize(path: str | Path) -> PatientFiles:
    """Return the files of the patient at a path.

    Parameters
    ----------
    path : str or Path
        A patient's folder, a folder with exactly one patient below it, or one of the
        patient's files (whose siblings are found).

    Returns
    -------
    PatientFiles

    Raises
    ------
    CaseError
        If there is no such path, no patient, or more than one; the message says what was
        found and what was looked for.
    """
    path = Path(path)
    if os.path.isfile(path):
        patient = patient_of_file(Path(os.path.abspath(path)))
        if patient is None:
            raise CaseError(why_not_a_patient(path))
        return patient
    patients = find_patients(path)
    if len(patients) == 1:
        return patients[0]
    if not patients:
        raise CaseError(why_not_a_patient(path))
    shown = ", ".join(repr(patient.case_id) for patient in patients[:3])
    raise CaseError(
        f"{str(path)!r} holds {len(patients)} patients ({shown}{', ...' * (len(patients) > 3)}) "
        "where one was expected; choose the folder or a file of one of them"
    )


def find_patients(root: str | Path) -> list[PatientFiles]:
    """Return all patients at or below a path, always in the same order.

    Parameters
    ----------
    root : str or Path
        A dataset's root, a patient's folder, or one file of a patient.

    Returns
    -------
    list of PatientFiles
        By folder, then by id, numbers in their natural order. Empty if there is none. Hidden
        folders, those of programs and those inside a patient's folder are skipped; links are
        followed, each folder once.

    Raises
    ------
    CaseError
        If the path does not exist, or holds more folders than a dataset would.
    """
    start = Path(os.path.abspath(root))
    if not os.path.exists(start):
        raise CaseError(f"{str(root)!r} does not exist; check the path of the patient's folder")
    if os.path.isfile(start):
        patient = patient_of_file(start)
        return [] if patient is None else [patient]
    return list(_patients_below(start, MAX_DEPTH, set()))


def _patients_below(folder: Path, depth: int, seen: set[str]) -> Iterator[PatientFiles]:
    """Yield the patients of a folder or, if it has none, those further down."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    if len(seen) > MAX_FOLDERS:
        raise CaseError(
            f"more than {MAX_FOLDERS} folders and no end at {str(folder)!r}: no BraTS edition "
            "has as many; choose the dataset's own folder"
        )
    patients = patients_in(folder)
    yield from patients
    if depth == 0 or not all(map(_is_stray, patients)):
        return
    for name in sorted(_folders(folder), key=_natural):
        yield from _patients_below(folder / name, depth - 1, seen)


def _is_stray(patient: PatientFiles) -> bool:
    """Return whether this is a lone volume with a name of nobody's, such as a template."""
    row = NAMINGS.get(patient.naming)
    return len(patient.images) == 1 and row is not None and not row.strict


def _folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder that may hold patients."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [
        name
        for name in names
        if not name.lower().startswith((".", NESTED_PREFIX))
        and name not in (*_NEVER_DATA, *LABEL_FOLDERS)
        and os.path.isdir(folder / name)
    ]


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    pieces = re.split(r"(\d+)", name.lower())
    return (
        *((1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces),
        (0, 0, name),
    )


def why_not_a_patient(path: str | Path) -> str:
    """Say in one line what was found at a path and what was looked for.

    Parameters
    ----------
    path : str or Path
        A file or folder that holds no patient.
    """
    path = Path(path)
    names = ", ".join(
        row.file_name(row.example, row.modalities[-1])
        for row in NAMINGS.values()
        if row.name in ("brats2017-2020", "brats2021", "brats-gli")
    )
    expected = f"expected names such as {names} or {IMAGE_FOLDERS[0]}/BRATS_001.nii.gz"
    cure = "rename the files or choose a patient's folder"
    if os.path.isfile(path):
        return f"{str(path)!r} is no file of a BraTS patient; {expected}; {cure}"
    return f"{str(path)!r} is not a BraTS patient: {_found(path)}; {expected}; {cure}"


def _found(folder: Path) -> str:
    try:
        names = sorted(os.listdir(folder), key=_natural)
    except OSError as error:
        return f"it cannot be listed ({error.strerror})"
    names = [name for name in names if not name.startswith(".")]
    if not names:
        return "the folder is empty"
    volumes = [name for name in names if split_extension(name)]
    listed = volumes or names
    shown = ", ".join(repr(name) for name in listed[:3]) + ", ..." * (len(listed) > 3)
    if any(_is_reference(name, folder.name) for name in volumes):
        return f"it holds a reference mask ({shown}) but no image"
    if volumes:
        return f"none of its {len(volumes)} volumes is named like a modality ({shown})"
    return f"it holds no {', '.join(EXTENSIONS)} volume ({shown})"


def _is_reference(name: str, folder: str) -> bool:
    parts = split_extension(name)
    if parts is None:
        return False
    readings = (row.parse(parts[0], folder) for row in NAMINGS.values())
    return any(reading is not None and reading[1] == REFERENCE for reading in readings)
