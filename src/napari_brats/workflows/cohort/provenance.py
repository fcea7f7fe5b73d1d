"""What a run was asked for, and asking for the same again."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_brats.errors import CaseError, CheckpointError
from napari_brats.volumes import write_json_atomic
from napari_brats.workflows.cohort.job import Settings, makers_of
from napari_brats.workflows.cohort.plan import Plan, plan_cohort
from napari_brats.workflows.cohort.record import now, software
from napari_brats.workflows.cohort.roster import (
    ASKED,
    EARLIER,
    from_json,
    known_patients,
    to_json,
)

SCHEMA = 1
BIDS_VERSION = "1.10.0"


def write_provenance(plan: Plan) -> None:
    """Write what is asked for into the output folder, and what BIDS wants to know.

    Patients of earlier runs who have a folder there are not forgotten.
    """
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
            ASKED: [to_json(one) for one in plan.patients],
            **_earlier(plan),
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
        patients = [from_json(one) for one in content[ASKED]]
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


def _earlier(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    asked = {one.case_id for one in plan.patients}
    with contextlib.suppress(CaseError):
        known = known_patients(plan.root).values()
        left = [one for one in known if one.case_id not in asked]
        found = [to_json(one) for one in left if plan.layout.folder(one.case_id).is_dir()]
        return {EARLIER: found} if found else {}
    return {}


def _hashes(weights: dict[str, str]) -> str:
    return ", ".join(f"{name} {sha256[:12]}" for name, sha256 in weights.items())
