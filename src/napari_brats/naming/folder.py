"""Sort the files of one folder into patients, by their names alone."""

import os
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

from napari_brats.naming.decathlon import decathlon_patient
from napari_brats.naming.description import IMAGE_FOLDERS, LABEL_FOLDERS, dataset_of
from napari_brats.naming.files import PatientFiles, split_extension
from napari_brats.naming.nnunet import nnunet_patient
from napari_brats.naming.table import EXTENSIONS, MODALITIES, NAMINGS, REFERENCE, Naming

NESTED_PREFIX = "vsd."
"""Folders so named belong to the patient above them."""

_Group = dict[str, list[Path]]


def patients_in(folder: Path, *, prefer: Path | None = None) -> list[PatientFiles]:
    """Return the patients whose files lie directly in a folder.

    Parameters
    ----------
    folder : Path
        An existing folder. Files that lie in folders of their own (VSD names) count.
    prefer : Path, optional
        The file to read where several are named as the same modality.

    Returns
    -------
    list of PatientFiles
        In the order of their ids; empty if there is none.
    """
    if folder.name in (*IMAGE_FOLDERS, *LABEL_FOLDERS):
        found = (_described_patient(path) for path in _volumes(folder))
        by_id = {patient.case_id: patient for patient in found if patient is not None}
        if by_id:
            return list(by_id.values())
    patients = []
    free = set(_volumes(folder, nested=True))
    for naming, case_id, group in _groups(folder, free):
        left = {role: [path for path in paths if path in free] for role, paths in group.items()}
        left = {role: paths for role, paths in left.items() if paths}
        if any(role != REFERENCE for role in left):
            patients.append(_patient(folder, naming, case_id, left, prefer))
            free.difference_update(*left.values())
    return sorted(patients, key=lambda patient: patient.case_id)


def longer_ids(folder: Path, case_id: str) -> list[str]:
    """Return the ids of patients in a folder that begin with another's id and an underscore."""
    prefix = f"{case_id}_"
    files = [path for path in _volumes(folder) if path.name.startswith(prefix)]
    if folder.name in IMAGE_FOLDERS:
        return sorted({one for path in files if (one := _id_of(path)).startswith(prefix)})
    named = [one for _, one, group in _groups(folder, files) if group.keys() - {REFERENCE}]
    return [one for one in named if one.startswith(prefix)]


def patient_of_file(path: Path) -> PatientFiles | None:
    """Return the patient that one volume belongs to, or None."""
    if dataset_of(path) is not None:
        patient = _described_patient(path)
        if patient is not None:
            return patient
    listed = list(_volumes(path.parent))
    if path not in listed:
        # Some file systems know a file by more than one spelling of its name.
        path = next((one for one in listed if _is_spelled(one, path)), path)
    nested = path.parent.name.lower().startswith(NESTED_PREFIX)
    for patient in patients_in(path.parent.parent if nested else path.parent, prefer=path):
        if path in (*patient.images.values(), patient.reference):
            return patient
    return None


def _described_patient(path: Path) -> PatientFiles | None:
    """Return whom a file of a dataset with a ``dataset.json`` belongs to, or None."""
    return nnunet_patient(path) or decathlon_patient(path)


def _id_of(image: Path) -> str:
    """Return whose a file of ``imagesTr`` is: without a description its own name says."""
    patient = _described_patient(image)
    if patient is not None:
        return patient.case_id
    parts = split_extension(image.name)
    return image.name if parts is None else parts[0]


def _is_spelled(listed: Path, given: Path) -> bool:
    """Return whether two names are one file but for case and Unicode normalization."""
    plain, other = (unicodedata.normalize("NFC", path.name).casefold() for path in (listed, given))
    return plain == other and os.path.exists(given) and os.path.samefile(listed, given)


def _volumes(folder: Path, *, nested: bool = False) -> Iterator[Path]:
    """Yield the volumes in a folder in name order, hidden ones left out."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = folder / name
        if name.startswith("."):
            continue
        if split_extension(name) and os.path.isfile(path):
            yield path
        elif nested and name.lower().startswith(NESTED_PREFIX) and os.path.isdir(path):
            yield from _volumes(path)


def _groups(folder: Path, volumes: Collection[Path]) -> list[tuple[Naming, str, _Group]]:
    """Return every reading of the volumes as a patient, the one with most roles first."""
    groups: dict[tuple[str, str], _Group] = {}
    for naming in NAMINGS.values():
        for path in sorted(volumes):
            parts = split_extension(path.name)
            if parts is None or (path.parent != folder and not naming.nested):
                continue
            parsed = naming.parse(parts[0], folder.name)
            if parsed is not None:
                case_id, role = parsed
                group = groups.setdefault((naming.name, case_id), {})
                group.setdefault(role, []).append(path)
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [(NAMINGS[name], case_id, group) for (name, case_id), group in ranked]


def _patient(
    folder: Path, naming: Naming, case_id: str, group: _Group, prefer: Path | None
) -> PatientFiles:
    chosen: dict[str, Path] = {}
    notes: list[str] = []
    for role, paths in group.items():
        ranked = sorted(paths, key=lambda path: (path != prefer, *_rank(path)))
        chosen[role] = ranked[0]
        notes += [f"{path.name!r} is ignored: {ranked[0].name!r} is read" for path in ranked[1:]]
    notes += [
        f"no {role}: looked for {naming.file_name(case_id, role)!r}"
        for role in naming.modalities
        if role not in chosen
    ]
    images = {role: chosen[role] for role in MODALITIES if role in chosen}
    return PatientFiles(
        case_id=case_id,
        folder=folder,
        naming=naming.name,
        convention_name=naming.convention,
        images=images,
        channels=dict.fromkeys(images),
        reference=chosen.get(REFERENCE),
        notes=tuple(notes),
    )


def _rank(path: Path) -> tuple[int, str]:
    parts = split_extension(path.name)
    return (EXTENSIONS.index(parts[1]) if parts else len(EXTENSIONS)), path.name
