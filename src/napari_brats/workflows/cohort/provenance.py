"""What a run was asked for, and asking for the same again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_brats.errors import CaseError, CheckpointError
from napari_brats.naming import REFERENCE, PatientFiles
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.cohort.job import Settings, makers_of
from napari_brats.workflows.cohort.plan import Plan, plan_cohort
from napari_brats.workflows.cohort.record import now, software

SCHEMA = 1
BIDS_VERSION = "1.10.0"


def write_provenance(plan: Plan) -> None:
    """Write what is asked for into the output folder, and what BIDS wants to know."""
    write_json_atomic(
        plan.layout.provenance,
        {
            "schema": SCHEMA,
            "software": software(),
            "created": now(),
            "source": str(plan.source),
            "output": str(plan.root),
            "models": [
                {"model": one.model, "name": one.name, "weights_sha256": dict(one.weights)}
                for one in plan.makers
            ],
            "settings": asdict(plan.settings),
            "patients": [_of_patient(one) for one in plan.patients],
        },
    )
    name, _, version = software().partition(" ")
    write_json_atomic(
        plan.layout.description,
        {
            "Name": "Brain tumor masks",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": name, "Version": version}],
        },
    )


def plan_again(
    file: str | Path, output: str | Path | None = None, *, retry_failed: bool = False
) -> tuple[Plan, list[str]]:
    """Plan what an earlier run was asked for.

    Parameters
    ----------
    file : str or Path
        A ``provenance.json``.
    output : str or Path, optional
        Another output folder; by default the recorded one, where only what is missing is done.
    retry_failed : bool
        As `plan_cohort` has it.

    Returns
    -------
    tuple
        The plan, and what differs from the earlier run, one line each.

    Raises
    ------
    CaseError
        If the file cannot be used.
    CheckpointError
        If the weights that a name means are others now.
    BratsError
        As `plan_cohort`.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
        settings = Settings(**content["settings"])
        patients = [_patient(one) for one in content["patients"]]
        models = [str(one["model"]) for one in content["models"]]
        weights = [dict(one["weights_sha256"]) for one in content["models"]]
        source, recorded = str(content["source"]), str(content["output"])
        made_with = str(content["software"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaseError(
            f"cannot replay {str(file)!r} ({error!r}); give the provenance.json of an output folder"
        ) from error
    for maker, known in zip(makers_of(models, settings), weights, strict=False):
        if dict(maker.weights) != known:
            raise CheckpointError(
                f"{maker.model!r} means other weights here ({_hashes(dict(maker.weights))}) than "
                f"in {str(file)!r} ({_hashes(known)}); add the same weights with napari-brats "
                "models add"
            )
    plan = plan_cohort(
        source,
        output or recorded,
        models,
        settings,
        retry_failed=retry_failed,
        patients=patients,
    )
    notes = [] if made_with == software() else [f"it was made with {made_with}, not {software()}"]
    return plan, notes


def _of_patient(patient: PatientFiles) -> dict[str, Any]:
    channels = {name: index for name, index in patient.channels.items() if index is not None}
    files = {
        **patient.images,
        **({REFERENCE: patient.reference} if patient.reference is not None else {}),
    }
    return {
        "case": patient.case_id,
        "folder": str(patient.folder),
        "naming": patient.naming,
        "labels": patient.convention_name,
        "files": {role: str(path) for role, path in files.items()},
        **({"channels": channels} if channels else {}),
    }


def _patient(content: dict[str, Any]) -> PatientFiles:
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
    )


def _hashes(weights: dict[str, str]) -> str:
    return ", ".join(f"{name} {sha256[:12]}" for name, sha256 in weights.items())
