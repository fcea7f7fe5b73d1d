"""Numbers that the official programs gave for masks kept beside them (tests/official)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.tasks import TASKS
from napari_brats.regions import decode_labels, label_convention

GOLDEN = Path(__file__).parent / "golden"
PAIRS = [
    pytest.param(year, number, job, id=f"{year}-{job['task']}-{job['name']}-{job['spacing_mm'][0]}")
    for year in ("2023", "2026")
    for number, job in enumerate(json.loads((GOLDEN / f"{year}.json").read_text()))
]


@pytest.mark.parametrize(("year", "number", "job"), PAIRS)
def test_equal_to_the_official_program(year: str, number: int, job: dict) -> None:
    """Legacy, 2023 and 2026: every number that the programs write, to nine digits."""
    with np.load(GOLDEN / f"{year}.npz") as kept:
        masks = [
            decode_labels(kept[f"{number}_{role}"], label_convention(job["convention"]))
            for role in ("prediction", "reference")
        ]
    # The programs read it from files, which keep single precision.
    spacing = np.float32(job["spacing_mm"]).astype(float)
    here = score_case(*masks, spacing, TASKS[job["task"]], hd95=job["hd95"]).to_json()
    compared = 0
    for part, regions in job["numbers"].items():
        for region, numbers in regions.items():
            for name, other in numbers.items():
                value = here[part][region][name]
                assert (value is None) == (other is None), (part, region, name)
                if value is not None:
                    assert math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9), (region, name)
                compared += 1
    assert compared >= 15


def test_all_three_generations_are_there() -> None:
    """Whole regions, 2023 and 2026, two tasks, uneven voxels; missing distances too."""
    jobs = [job for _, _, job in (param.values for param in PAIRS)]
    assert {part for job in jobs for part in job["numbers"]} >= {
        "regions", "lesionwise_2023", "lesionwise_2026",
    }  # fmt: skip
    assert {job["task"] for job in jobs} == {"GLI", "MET"}
    assert any(len(set(job["spacing_mm"])) > 1 for job in jobs)
