"""A run over many patients in this process: what is written, what is kept, what fails."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing import claim
from napari_brats.editing.owner import SILENCE_S
from napari_brats.errors import DeviceError, OutputError
from napari_brats.regions import Tissue
from napari_brats.volumes import recorded_convention, sha256_of
from napari_brats.workflows.cohort import record as records
from napari_brats.workflows.cohort import run as runs
from napari_brats.workflows.cohort import verify as verifying
from napari_brats.workflows.cohort import visit
from napari_brats.workflows.cohort.job import Job, Settings
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.plan import Plan, plan_cohort
from napari_brats.workflows.cohort.provenance import plan_again
from napari_brats.workflows.cohort.record import CHANGED, read_record
from napari_brats.workflows.cohort.roster import known_patients
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.run import Here, run_cohort
from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.cohort.verify import verify
from napari_brats.workflows.evaluate_folders import read_csv
from napari_brats.workflows.queue import build_queue

MakePatients = Callable[[Path, int], Path]
QUICK = Settings(device="cpu", engine="torch", precision="float32", figures=False)


@pytest.fixture
def planned(tmp_path: Path, make_patients: MakePatients, tiny_model: Path) -> Callable[..., Plan]:
    """Return a function that plans three patients."""
    source = make_patients(tmp_path / "in", 3)

    def plan(settings: Settings = QUICK, **options: object) -> Plan:
        return plan_cohort(source, tmp_path / "out", [str(tiny_model)], settings, **options)

    return plan


class Failing:
    """Does the work of nobody: every mask fails at once."""

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[list[Row]]:
        for job in jobs:
            yield [visit.failed_row(job, maker, "no work") for maker in job.makers]


def files_in(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_cohort_from_folder_to_table(planned: Callable[..., Plan]) -> None:
    """Masks, pictures, probabilities, records, tables, page; nothing in the source."""
    plan = planned(replace(QUICK, figures=True, probabilities=True))
    before = files_in(plan.source)
    steps = list(run_cohort(plan))
    assert [step.done for step in steps] == [1, 2, 3]
    assert steps[-1].seconds_left == 0
    assert files_in(plan.source) == before
    layout = Layout(plan.root)
    rows = read_table(plan.root)
    assert [row.patient for row in rows] == [one.case_id for one in plan.patients]
    for row in rows:
        assert row.state is State.DONE
        assert sha256_of(plan.root / row.mask) == row.mask_sha256
        assert {*row.dice} == {"WT", "TC", "ET"}
        assert row.unsure_ml["WT"] >= 0
    first = rows[0]
    source = nib.load(first.source)
    assert np.allclose(nib.load(plan.root / first.mask).affine, source.affine)
    assert nib.load(plan.root / first.probabilities).shape == (*source.shape, 3)
    expected = {
        "dataset_description.json", "provenance.json", "cohort.csv", "cohort.parquet",
        "cohort.html", "scores_tiny.csv",
    }  # fmt: skip
    assert {path.name for path in plan.root.iterdir() if path.is_file()} == expected
    folder = plan.root / "sub-BraTS202100001"
    assert {path.name for path in folder.iterdir()} == {
        f"BraTS2021_00001_tiny_{name}"
        for name in ("mask.nii.gz", "figure.png", "probabilities.nii.gz", "record.json")
    }
    scores = read_csv(layout.scores("tiny"))
    assert scores["WT"]["dice"][first.patient] == pytest.approx(first.dice["WT"])
    assert first.patient in layout.html.read_text()
    assert json.loads(layout.record(first.patient, "tiny").read_text())["model"] == "tiny"


def test_a_second_run_does_what_is_missing(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done is what has matching hashes; a lost, torn or outdated result is made again."""
    plan = planned()
    list(run_cohort(plan))
    assert planned().jobs == ()
    rows = {row.patient: row for row in read_table(plan.root)}
    first, second, third = rows
    lost, torn = plan.root / rows[first].mask, plan.root / rows[second].mask
    lost.unlink()
    torn.write_bytes(torn.read_bytes()[:50])
    again = planned()
    assert [job.case_id for job in again.jobs] == [first, second]
    list(run_cohort(again))
    assert planned().jobs == ()
    image = Path(rows[third].source)
    volume = nib.load(image)
    nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) * 2, volume.affine), image)
    assert [job.case_id for job in planned().jobs] == [third]
    os.utime(rows[first].source)
    assert [job.case_id for job in planned().jobs] == [third]
    assert len(planned(replace(QUICK, mirror=True)).jobs) == 3
    assert len(planned(replace(QUICK, probabilities=True)).jobs) == 3
    monkeypatch.setattr(records, "software", lambda: "napari-brats 99")
    assert len(planned().jobs) == 3


@pytest.mark.slow
def test_a_persons_mask_is_never_replaced(planned: Callable[..., Plan]) -> None:
    """A corrected mask counts as done; where it must be made again, it goes beside."""
    plan = planned()
    list(run_cohort(plan))
    row = read_table(plan.root)[0]
    mask = plan.root / row.mask
    image = nib.load(mask)
    voxels = np.asarray(image.dataobj).copy()
    voxels[2, 2, 2] = 0 if voxels[2, 2, 2] else 1
    nib.save(nib.Nifti1Image(voxels, image.affine, image.header), mask)
    theirs = mask.read_bytes()
    again = planned()
    assert again.jobs == ()
    kept = next(one for one in again.kept if one.patient == row.patient)
    assert CHANGED in kept.warnings
    list(run_cohort(planned(replace(QUICK, precision="bfloat16"))))
    assert mask.read_bytes() == theirs
    assert read_table(plan.root)[0].mask.endswith("_mask-2.nii.gz")


def test_a_bad_patient_fails_alone(planned: Callable[..., Plan]) -> None:
    """The reason is in the table; the failure stands until the files change or it is retried."""
    plan = planned()
    image = Path(next(iter(plan.patients[1].images.values())))
    whole = image.read_bytes()
    image.write_bytes(whole[:200])
    steps = list(run_cohort(planned()))
    assert steps[-1].failed == 1
    good, bad, other = read_table(plan.root)
    assert (good.state, bad.state, other.state) == (State.DONE, State.FAILED, State.DONE)
    assert image.name in bad.reason
    assert planned().jobs == ()
    assert [job.case_id for job in planned(retry_failed=True).jobs] == [bad.patient]
    image.write_bytes(whole)
    assert [job.case_id for job in planned().jobs] == [bad.patient]
    list(run_cohort(planned()))
    assert {row.state for row in read_table(plan.root)} == {State.DONE}


@pytest.mark.slow
def test_a_bug_costs_one_patient_and_leaves_a_traceback(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected is a failure like another, with the traceback in its record."""
    plan = planned()
    load = visit.load_case

    def fragile(patient: object, **options: object) -> object:
        if patient == plan.patients[0]:
            raise ZeroDivisionError("surprise")
        return load(patient, **options)

    monkeypatch.setattr(visit, "load_case", fragile)
    list(run_cohort(plan))
    bad, *good = read_table(plan.root)
    assert bad.reason == "unexpected ZeroDivisionError: surprise"
    assert {row.state for row in good} == {State.DONE}
    record = json.loads(Layout(plan.root).record(*bad.key).read_text())
    assert "fragile" in record["traceback"]


@pytest.mark.slow
def test_weights_that_change_in_mid_run_make_no_mask(
    planned: Callable[..., Plan], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their masks would be recorded as those of the weights that the run was planned with."""
    card = tiny_model.with_suffix(".json")
    plan = planned()
    prepare = visit.prepare

    def prepared(one: visit.Visit) -> visit.Visit:
        if one.job.patient.case_id == plan.patients[-1].case_id:
            card.write_text(json.dumps({**json.loads(card.read_text()), "least_enhancing_ml": 3.0}))
        return prepare(one)

    monkeypatch.setattr(visit, "prepare", prepared)
    list(run_cohort(plan, Here(helpers=1)))
    *others, last = read_table(plan.root)
    assert [row.state for row in others] == [State.DONE, State.DONE]
    assert last.state is State.FAILED
    assert "have changed since the run began" in last.reason


@pytest.mark.slow
def test_a_stopped_run_leaves_the_rest_waiting(planned: Callable[..., Plan]) -> None:
    """Closing the generator ends in good order; the next run goes on."""
    plan = planned()
    with closing(run_cohort(plan)) as steps:
        next(steps)
    states = [row.state for row in read_table(plan.root)]
    assert State.DONE in states
    assert not list(plan.root.glob("sub-*/.*"))
    list(run_cohort(planned()))
    assert {row.state for row in read_table(plan.root)} == {State.DONE}


@pytest.mark.slow
def test_a_full_disk_ends_the_run(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no patient's failure: one error, what is done stays, the next run goes on."""
    from napari_brats.workflows.cohort import writing

    save, saved = writing.save_segmentation, []

    def full(*arguments: object) -> object:
        if saved:
            error = OSError(28, "No space left on device")
            raise OutputError("cannot write: the disk is full") from error
        saved.append(save(*arguments))
        return saved[0]

    monkeypatch.setattr(writing, "save_segmentation", full)
    with pytest.raises(OutputError, match="disk is full"):
        list(run_cohort(planned()))
    states = sorted(row.state for row in read_table(planned().root))
    assert states == [State.DONE, State.WAITING, State.WAITING]


def test_a_device_that_is_not_there_ends_the_run(planned: Callable[..., Plan]) -> None:
    """It is no patient's failure either: none has a record, and the next run does all."""
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        list(run_cohort(planned(replace(QUICK, device="tpu"))))
    assert len(planned().jobs) == 3


def test_a_table_that_somebody_holds_open_ends_no_run(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Excel locks the file it shows: the table waits until it can be written again."""
    monkeypatch.setattr(runs, "TABLE_SECONDS", 0.0)
    write, calls = runs.write_table, iter(range(9))

    def locked(path: Path, rows: Sequence[Row]) -> Path:
        if next(calls) == 1:
            raise OutputError("cannot write: permission denied")
        return write(path, rows)

    monkeypatch.setattr(runs, "write_table", locked)
    assert len(list(run_cohort(planned(), Failing()))) == 3
    assert {row.state for row in read_table(planned().root)} == {State.FAILED}


def test_a_second_run_into_the_folder_is_refused(planned: Callable[..., Plan]) -> None:
    """Each would take the other's half-written files for rests, and its lines out of the table."""
    plan = planned()
    with closing(run_cohort(plan, Failing())) as first:
        next(first)
        writing = plan.root / "sub-BraTS202100001" / ".0123456789ab-mask.nii.gz"
        writing.parent.mkdir()
        writing.touch()
        with pytest.raises(OutputError, match="another run is at work"):
            list(run_cohort(planned(), Failing()))
        assert writing.exists()
    assert not writing.exists()
    assert len(list(run_cohort(planned(), Failing()))) == 3


def test_a_folder_stays_claimed_while_jobs_wait(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs may lie in a queue for hours, and a run on another computer goes by the claim's age."""
    monkeypatch.setattr(claim, "RENEWAL_S", 0.01)
    plan, ages = planned(), []

    class Waiting(Failing):
        def outcomes(self, jobs: Sequence[Job]) -> Iterator[list[Row]]:
            os.utime(plan.layout.claim, (0, 0))
            for _ in range(1000):
                ages.append(time.time() - plan.layout.claim.stat().st_mtime)
                if ages[-1] < SILENCE_S:
                    break
                time.sleep(0.01)
            yield from super().outcomes(jobs)

    list(run_cohort(plan, Waiting()))
    assert ages[0] > SILENCE_S > ages[-1]
    assert not plan.layout.claim.exists()


@pytest.mark.slow
def test_verify_finds_a_mask_that_is_no_longer_made(planned: Callable[..., Plan]) -> None:
    """The same weights give the same voxels; a record that lies about its mask is found."""
    plan = planned()
    list(run_cohort(plan))
    assert [check.different for check in verify(planned(), 5)] == [0, 0, 0]
    row = read_table(plan.root)[0]
    mask, path = plan.root / row.mask, Layout(plan.root).record(*row.key)
    image = nib.load(mask)
    voxels = np.asarray(image.dataobj).copy()
    voxels[0, 0, :2] = 1 - np.minimum(voxels[0, 0, :2], 1)
    nib.save(nib.Nifti1Image(voxels, image.affine, image.header), mask)
    path.write_text(path.read_text().replace(row.mask_sha256, sha256_of(mask)))
    found = {check.patient: check.different for check in verify(planned(), 5)}
    assert found[row.patient] == 2
    assert sum(found.values()) == 2


def test_verify_asks_what_a_file_can_hold(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BraTS-PED has no code for necrosis: it is saved as another tissue, and that is the same."""
    plan = planned(replace(QUICK, labels="brats-ped"))
    patient = plan.patients[0]
    case = load_case(patient, labels="brats-ped")
    tissues = np.zeros(case.shape, np.uint8)
    tissues[4:8, 4:8, 4:8], tissues[5, 5, 5] = Tissue.NECROSIS, Tissue.ENHANCING
    save_segmentation(segmentation_of(case, tissues), plan.root / "mask.nii.gz")
    row = Row(patient.case_id, "tiny", State.DONE, mask="mask.nii.gz")
    networks = SimpleNamespace(predict=lambda _: SimpleNamespace(tissues=tissues))
    monkeypatch.setattr(verifying, "load_networks", lambda *_: networks)
    assert [one.different for one in verify(replace(plan, kept=(row,)), 1)] == [0]
    tissues[0, 0, 0] = Tissue.EDEMA
    assert [one.different for one in verify(replace(plan, kept=(row,)), 1)] == [1]


@pytest.mark.slow
def test_provenance_can_be_replayed(planned: Callable[..., Plan], tmp_path: Path) -> None:
    """Elsewhere the same masks come again; in the same folder nothing is left to do."""
    plan = planned()
    list(run_cohort(plan))
    file = Layout(plan.root).provenance
    assert plan_again(file)[0].jobs == ()
    again, notes = plan_again(file, tmp_path / "again")
    assert notes == []
    assert again.patients == plan.patients
    list(run_cohort(again))
    hashes = [[row.mask_sha256 for row in read_table(one.root)] for one in (plan, again)]
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_other_models_stay_in_the_table(
    planned: Callable[..., Plan], tmp_path: Path, tiny_model: Path
) -> None:
    """A second model into the same folder adds lines and takes none away."""
    list(run_cohort(planned()))
    other = tmp_path / "other.safetensors"
    other.write_bytes(tiny_model.read_bytes())
    card = tiny_model.with_suffix(".json").read_text().replace('"name": "tiny"', '"name": "other"')
    other.with_suffix(".json").write_text(card)
    source = planned().source
    list(run_cohort(plan_cohort(source, tmp_path / "out", [str(other)], QUICK)))
    assert [row.model for row in read_table(tmp_path / "out")] == ["other", "tiny"] * 3
    list(run_cohort(plan_cohort(source, tmp_path / "out", [str(tiny_model), str(other)], QUICK)))
    assert [row.model for row in read_table(tmp_path / "out")] == ["tiny", "other"] * 3


@pytest.mark.slow
def test_other_patients_stay_in_the_table(
    tmp_path: Path, make_patients: MakePatients, tiny_model: Path
) -> None:
    """A manifest of fewer patients takes no mask out; who deletes a patient's folder does."""
    source = make_patients(tmp_path / "in", 2)
    first, second = (one.name for one in sorted(source.iterdir()))

    def run(*patients: str) -> list[str]:
        rows = [{"case": f"case {one}", "path": f"in/{one}"} for one in patients]
        (tmp_path / "m.json").write_text(json.dumps(rows))
        settings = replace(QUICK, labels="brats2024-gli")
        plan = plan_cohort(tmp_path / "m.json", tmp_path / "out", [str(tiny_model)], settings)
        list(run_cohort(plan))
        return [row.patient for row in read_table(plan.root)]

    assert run(first, second) == [f"case {first}", f"case {second}"]
    assert run(second) == [f"case {second}", f"case {first}"]
    assert run(second) == [f"case {second}", f"case {first}"]
    known = known_patients(tmp_path / "out")
    assert {case: one.own_id for case, one in known.items()} == {
        f"case {first}": first, f"case {second}": second,
    }  # fmt: skip
    assert {one.convention_name for one in known.values()} == {"brats2024-gli"}
    scored = read_csv(Layout(tmp_path / "out").scores("tiny"))["WT"]["dice"]
    assert set(scored) == set(known)
    shutil.rmtree(Layout(tmp_path / "out").folder(f"case {first}"))
    assert run(second) == [f"case {second}"]
    assert list(known_patients(tmp_path / "out")) == [f"case {second}"]


def test_a_record_says_the_codes_of_its_mask(planned: Callable[..., Plan]) -> None:
    """A mask that another program saved without its description is read by the run's labels."""
    plan = planned(replace(QUICK, labels="brats2024-gli"))
    list(run_cohort(plan))
    row = read_table(plan.root)[0]
    assert read_record(Layout(plan.root).record(*row.key)).labels == "brats2024-gli"
    mask = plan.root / row.mask
    image = nib.load(mask)
    voxels = np.asarray(image.dataobj).astype(np.uint8)
    voxels[2:6, 2:6, 2:6] = 3
    nib.save(nib.Nifti1Image(voxels, image.affine), mask)
    assert recorded_convention(mask) is None
    (ranked,) = [one for one in build_queue(plan.root) if one.case == row.patient]
    assert "failed" not in ranked.points
