"""Cohorts: summary, comparison, files."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.metrics.table import METRICS
from napari_brats.workflows.evaluate import evaluate
from napari_brats.workflows.evaluate_folders import (
    compare_cohorts,
    evaluate_folders,
    win_loss,
    write_csv,
    write_lesions,
)

MakePatient = Callable[..., Path]


@pytest.fixture
def folders(tmp_path: Path, make_patient_folder: MakePatient) -> tuple[Path, Path, Path]:
    """Return (data, exact masks, masks without enhancing tumor) of two patients."""
    data, exact, worse = (tmp_path / name for name in ("data", "exact", "worse"))
    for number in (1, 2):
        case = f"BraTS2021_0000{number}"
        reference = make_patient_folder(data, case_id=case) / f"{case}_seg.nii.gz"
        image = nib.load(reference)
        codes = np.asarray(image.dataobj)
        for folder, mask in ((exact, codes), (worse, np.where(codes == 4, 0, codes))):
            folder.mkdir(exist_ok=True)
            nib.save(
                nib.Nifti1Image(mask.astype(np.uint8), image.affine), folder / f"{case}.nii.gz"
            )
    return data, exact, worse


def test_summary_and_comparison(folders: tuple[Path, Path, Path]) -> None:
    """Exact masks score 1 and win every case; a missed region has no distance, and loses."""
    data, exact, worse = folders
    ours, theirs = evaluate_folders(exact, data), evaluate_folders(worse, data)
    summary = ours.summary()["all"]["WT"]
    assert set(summary) == set(METRICS)
    assert (summary["dice"].n, summary["dice"].mean, summary["hd95_mm"].mean) == (2, 1.0, 0.0)
    missed = theirs.summary()["all"]["ET"]["hd95_mm"]
    assert (missed.n, missed.undefined, missed.mean) == (0, 2, None)
    tests = compare_cohorts(ours, theirs)
    assert (tests["ET"]["hd95_mm"].wins, tests["ET"]["dice"].mean_difference) == (2, 1.0)
    assert "volume_ml" not in tests["ET"]
    assert all(test.p <= test.p_holm for region in tests.values() for test in region.values()
               if test.p is not None)  # fmt: skip
    outcome = win_loss(ours, theirs)
    assert outcome["BraTS2021_00001"]["ET"] == "win"
    assert win_loss(theirs, ours)["BraTS2021_00001"]["ET"] == "loss"
    assert win_loss(ours, ours)["BraTS2021_00002"]["WT"] == "tie"


def test_a_case_that_fails_costs_no_other(folders: tuple[Path, Path, Path]) -> None:
    """A mask on another grid is listed with its message; with none left it is an error."""
    data, exact, _ = folders
    (exact / "BraTS2021_00003.nii.gz").write_bytes((exact / "BraTS2021_00001.nii.gz").read_bytes())
    nib.save(
        nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), exact / "BraTS2021_00001.nii"
    )
    (exact / "BraTS2021_00001.nii.gz").unlink()
    steps: list[tuple[int, int]] = []
    found = evaluate_folders(exact, data, on_step=lambda *step: steps.append(step))
    assert list(found.cases) == ["BraTS2021_00002"]
    assert "voxels" in found.failed["BraTS2021_00001"]
    assert any("BraTS2021_00003" in line for line in found.unmatched)
    assert steps == [(1, 2), (2, 2)]
    (exact / "BraTS2021_00002.nii.gz").unlink()
    with pytest.raises(CaseError, match=r"no case could be scored.*voxels"):
        evaluate_folders(exact, data)


def test_tasks_are_summarized_apart(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Each case is scored by its edition's task; the groups hold what belongs together."""
    data, masks = tmp_path / "data", tmp_path / "masks"
    masks.mkdir()
    for naming in ("brats-gli", "brats-ped"):
        reference = next(make_patient_folder(data, naming).glob("*-seg.nii.gz"))
        (masks / reference.name.replace("-seg", "")).write_bytes(reference.read_bytes())
    found = evaluate_folders(masks, data)
    assert {case.task for case in found.cases.values()} == {"GLI", "PED"}
    apart = found.summary(by_task=True)
    assert list(apart) == ["GLI", "PED"]
    assert "CC" in apart["PED"]
    assert "CC" not in apart["GLI"]
    assert evaluate_folders(masks, data, task="MET").groups(by_task=True).keys() == {"MET"}


def test_csv_holds_every_number(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """One row per case and region; numbers come back as they were, undefined ones are empty."""
    data, _, worse = folders
    found = evaluate_folders(worse, data)
    path = write_csv(tmp_path / "scores.csv", found.cases)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 5
    case = evaluate(worse / "BraTS2021_00001.nii.gz", data / "BraTS2021_00001").rows()
    for row in rows:
        if row["case"] == "BraTS2021_00001":
            for name in METRICS:
                value = case[row["region"]][name]
                defined = value is not None and math.isfinite(value)
                assert row[name] == (repr(float(value)) if defined else "")


def test_lesions_have_a_table_of_their_own(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """One row per lesion and rule; its voxel lies in the lesion; numbers come back as they were."""
    data, _, worse = folders
    found = evaluate_folders(worse, data)
    path = write_lesions(tmp_path / "lesions.csv", found.cases)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    case = found.cases["BraTS2021_00001"].scores
    for generation, scores in (("2023", case.lesionwise_2023), ("2026", case.lesionwise_2026)):
        for region, score in scores.items():
            mine = [
                row
                for row in rows
                if (row["case"], row["generation"], row["region"])
                == ("BraTS2021_00001", generation, region)
            ]
            assert [row["lesion"] for row in mine] == [str(n + 1) for n in range(len(mine))]
            assert [row["status"] for row in mine] == [one.status for one in score.lesions]
            assert [row["dice"] for row in mine] == [repr(one.dice) for one in score.lesions]
            assert all(not row["nsd"] for row in mine) or generation == "2026"
    missed = next(row for row in rows if row["region"] == "ET" and row["generation"] == "2026")
    codes = np.asarray(nib.load(data / missed["case"] / f"{missed['case']}_seg.nii.gz").dataobj)
    assert missed["status"] == "missed"
    assert codes[int(missed["x"]), int(missed["y"]), int(missed["z"])] == 4


def test_nothing_in_common(folders: tuple[Path, Path, Path]) -> None:
    """Two methods that scored different cases cannot be compared."""
    data, exact, worse = folders
    (exact / "BraTS2021_00001.nii.gz").unlink()
    (worse / "BraTS2021_00002.nii.gz").unlink()
    with pytest.raises(CaseError, match="in common"):
        compare_cohorts(evaluate_folders(exact, data), evaluate_folders(worse, data))
