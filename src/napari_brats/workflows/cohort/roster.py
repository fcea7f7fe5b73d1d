"""The patients of an output folder as its runs knew them: the lists in ``provenance.json``.

Names of files tell less: a manifest may call a patient otherwise, and name files of any name.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_brats.errors import CaseError
from napari_brats.naming import REFERENCE, PatientFiles
from napari_brats.workflows.cohort.layout import Layout

ASKED, EARLIER = "patients", "earlier"
"""Lists of the patients that the last run was asked for, and of those before."""


def known_patients(root: Path) -> dict[str, PatientFiles]:
    """Return the patients of an output folder by case id.

    Parameters
    ----------
    root : Path
        Output folder of ``napari-brats cohort``.

    Returns
    -------
    dict of str to PatientFiles
        With the label convention that the run was told, if it was. Empty where nothing was
        written down.

    Raises
    ------
    CaseError
        If the file is damaged.
    """
    path = Layout(root).provenance
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        labels = content["settings"]["labels"]
        asked = [_labeled(from_json(one), labels) for one in content[ASKED]]
        earlier = [from_json(one) for one in content.get(EARLIER, ())]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaseError(
            f"cannot read who the patients are in {str(path)!r} ({error!r}); run napari-brats "
            "cohort again"
        ) from error
    return {one.case_id: one for one in (*earlier, *asked)}


def at_home(patient: PatientFiles) -> PatientFiles:
    """Return a patient under the id that masks and reviews beside its images have."""
    return replace(patient, case_id=patient.own_id or patient.case_id, own_id="")


def to_json(patient: PatientFiles) -> dict[str, Any]:
    """Return a patient as ``provenance.json`` has it."""
    channels = {name: index for name, index in patient.channels.items() if index is not None}
    reference = {} if patient.reference is None else {REFERENCE: patient.reference}
    files: Mapping[str, Path] = {**patient.images, **reference}
    return {
        "case": patient.case_id,
        **({"own_id": patient.own_id} if patient.own_id else {}),
        "folder": str(patient.folder),
        "naming": patient.naming,
        "labels": patient.convention_name,
        "files": {role: str(path) for role, path in files.items()},
        **({"channels": channels} if channels else {}),
        **({"notes": list(patient.notes)} if patient.notes else {}),
    }


def from_json(content: Mapping[str, Any]) -> PatientFiles:
    """Return the patient that `to_json` wrote."""
    files = {role: Path(path) for role, path in content["files"].items()}
    reference = files.pop(REFERENCE, None)
    channels = content.get("channels", {})
    return PatientFiles(
        case_id=content["case"],
        folder=Path(content["folder"]),
        naming=content["naming"],
        convention_name=content["labels"],
        images=files,
        channels={name: channels.get(name) for name in files},
        reference=reference,
        notes=tuple(content.get("notes", ())),
        own_id=content.get("own_id", ""),
    )


def _labeled(patient: PatientFiles, labels: str | None) -> PatientFiles:
    return replace(patient, convention_name=labels) if labels else patient
