"""Find the patients of a cohort: in a folder, or by a manifest."""

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_brats.errors import CaseError, OutputError
from napari_brats.naming import (
    MODALITIES,
    REFERENCE,
    PatientFiles,
    find_patients,
    recognize,
    split_extension,
    why_not_a_patient,
)
from napari_brats.naming.description import MODALITY_OF
from napari_brats.regions import label_convention
from napari_brats.workflows.cohort.layout import label_of

MANIFESTS = (".csv", ".tsv", ".json")
OF_MANIFESTS = "manifest"
"""`PatientFiles.naming` where a manifest names every file."""

_NAME = re.compile(r"[\w.+-][\w.+ -]{0,99}")
_MOST_BYTES = 2**28
_FILES = (*MODALITIES, REFERENCE)
_COLUMNS = ("path", "case", "labels", *_FILES)


def cohort_patients(source: str | Path) -> list[PatientFiles]:
    """Return the patients of a cohort, each once.

    Parameters
    ----------
    source : str or Path
        A folder with patients of any edition below it; or a manifest, ``.csv``, ``.tsv`` or
        ``.json``, whose rows have ``path`` (a patient's folder or file) or a path for each
        modality (``t1``, ``t1ce``, ``t2``, ``flair``) with ``labels``; ``case`` and
        ``reference`` may be given too. Modalities may have the names of any edition. Paths
        count from the manifest's folder.

    Returns
    -------
    list of PatientFiles
        With absolute paths, links kept as they are.

    Raises
    ------
    CaseError
        If there is none, two have one name, or the manifest cannot be used.
    """
    source = Path(source)
    if source.suffix.lower() in MANIFESTS and source.is_file():
        patients = [_of_row(row, where) for where, row in _rows(source)]
        if not patients:
            raise CaseError(f"{str(source)!r} lists no patient; add rows with a path each")
    else:
        patients = find_patients(source)
        if not patients:
            raise CaseError(
                f"no patients found: {why_not_a_patient(source)}, or give a manifest "
                f"({', '.join(MANIFESTS)})"
            )
    _require_unique(patients)
    return patients


def require_apart(source: Path, patients: Sequence[PatientFiles], output: Path) -> None:
    """Refuse an output folder that lies among what is read.

    Raises
    ------
    OutputError
        If it is the source, or below it or a patient's folder.
    """
    real = Path(os.path.realpath(output))
    sources = {Path(os.path.realpath(one.folder)) for one in patients}
    if source.is_dir():
        sources.add(Path(os.path.realpath(source)))
    inside = next((one for one in (real, *real.parents) if one in sources), None)
    if inside is not None:
        raise OutputError(
            f"the output folder {str(output)!r} lies in {str(inside)!r}, which is read; nothing "
            "is ever written among the patients: give a folder elsewhere with --output"
        )


def _require_unique(patients: Sequence[PatientFiles]) -> None:
    """Refuse two patients whose results would have one place."""
    named: dict[str, list[PatientFiles]] = defaultdict(list)
    for patient in patients:
        if not _NAME.fullmatch(patient.case_id) or not label_of(patient.case_id):
            raise CaseError(
                f"a patient is called {patient.case_id!r}, which cannot be a file's name; name it "
                "with letters, digits and ._+- in the column 'case' of a manifest"
            )
        # Some file systems do not tell capitals from small letters.
        named[label_of(patient.case_id).lower()].append(patient)
    for same in named.values():
        if len(same) > 1:
            names = " and ".join(dict.fromkeys(repr(one.case_id) for one in same))
            places = ", ".join(str(one.folder) for one in same[:3]) + ", ..." * (len(same) > 3)
            raise CaseError(
                f"{len(same)} patients are called {names} ({places}), letters and digits taken; "
                "give them different names in the column 'case' of a manifest"
            )


def _rows(manifest: Path) -> list[tuple[str, dict[str, str]]]:
    """Return the rows of a manifest, with where each stands and absolute paths."""
    try:
        with manifest.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig")
        if manifest.suffix.lower() == ".json":
            content = json.loads(text)
            listed = content.get("patients") if isinstance(content, dict) else content
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                raise ValueError("expected a list of objects")
        else:
            comma = "\t" if manifest.suffix.lower() == ".tsv" else ","
            listed = list(csv.DictReader(io.StringIO(text), delimiter=comma))
    except (OSError, ValueError, csv.Error) as error:
        raise CaseError(
            f"cannot read the manifest {str(manifest)!r}: {error}; give a table or a list of "
            "objects with a path each"
        ) from error
    base = Path(os.path.abspath(manifest)).parent
    rows = [(f"{manifest}, row {n}", row) for n, row in enumerate(listed, 1)]
    return [(where, _plain(row, base, where)) for where, row in rows]


def _plain(row: Mapping[Any, Any], base: Path, where: str) -> dict[str, str]:
    """Return the cells that are not empty, by the names of `_COLUMNS`."""
    cells: dict[str, str] = {}
    for heading, value in row.items():
        parts = value if isinstance(value, list) else [value or ""]
        text = " ".join(map(str, parts)).strip()
        if not text:
            continue
        column = str(heading or "").strip()
        name = MODALITY_OF.get(column.lower(), column.lower())
        if name in cells:
            raise CaseError(
                f"{where}: a second column for {name!r}: {column!r} ({text!r}); "
                "take one of them out"
            )
        if name not in _COLUMNS and split_extension(text):
            raise CaseError(
                f"{where}: no use for the column {column!r}, which names an image ({text!r}); "
                f"expected {', '.join(_COLUMNS)}: correct its name or take it out"
            )
        if name not in _COLUMNS:
            continue  # age, site and the like
        cells[name] = str(base / text) if name in ("path", *_FILES) else text
    return cells


def _of_row(row: Mapping[str, str], where: str) -> PatientFiles:
    changes: dict[str, Any] = {"case_id": row["case"]} if "case" in row else {}
    if "labels" in row:
        changes["convention_name"] = label_convention(row["labels"]).name
    for name in _FILES:
        if name in row and not os.path.isfile(row[name]):
            raise CaseError(f"{where}: there is no file {row[name]!r} ({name}); correct the path")
    if REFERENCE in row:
        changes["reference"] = Path(row[REFERENCE])
    images = {name: Path(row[name]) for name in MODALITIES if name in row}
    if "path" in row and not images:
        try:
            found = recognize(row["path"])
        except CaseError as error:
            raise CaseError(f"{where}: {error}") from error
        named = changes.get("case_id", found.case_id)
        return replace(found, **changes, own_id=found.case_id if named != found.case_id else "")
    if "path" in row or not images or not {"case_id", "convention_name"} <= changes.keys():
        raise CaseError(
            f"{where}: it has {', '.join(row) or 'nothing'}; expected path, or case, labels and "
            f"one or more of {', '.join(MODALITIES)}"
        )
    return PatientFiles(
        folder=next(iter(images.values())).parent,
        naming=OF_MANIFESTS,
        images=images,
        channels=dict.fromkeys(images),
        **{"reference": None, **changes},
    )
