"""One patient's way through the stages: what is settled stays settled."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from napari_brats.errors import CaseError
from napari_brats.volumes import sha256_of
from napari_brats.workflows.cohort import visit
from napari_brats.workflows.cohort.job import Inputs, Job, Maker, Settings
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.patients import cohort_patients
from napari_brats.workflows.cohort.record import Record, read_record, software, write_record
from napari_brats.workflows.cohort.row import Row, State

MakePatients = Callable[[Path, int], Path]
QUICK = Settings(device="cpu", figures=False)


def finished(job: Job, maker: Maker) -> Row:
    """Write the mask and record of a model that is done, as another process leaves them."""
    layout, inputs = Layout(job.root), Inputs.of(job.patient)
    mask = layout.mask(job.case_id, maker.name, job.source)
    mask.parent.mkdir(parents=True)
    mask.write_bytes(b"a mask")
    row = Row(
        job.case_id, maker.name, State.DONE, mask=layout.relative(mask),
        mask_sha256=sha256_of(mask), inputs_sha256=inputs.sha256, weights_sha256=maker.sha256,
        settings_sha256=job.settings.sha256, software=software(),
    )  # fmt: skip
    write_record(layout, Record(row, inputs))
    return row


def test_a_failure_leaves_the_other_models_mask_alone(
    tmp_path: Path, make_patients: MakePatients, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is begun anew finds one mask done, and then the patient cannot be read."""
    (patient,) = cohort_patients(make_patients(tmp_path / "in", 1))
    done = Maker.of(str(tiny_model), QUICK)
    lacking = replace(done, name="other")
    job = Job(patient, (done, lacking), QUICK, tmp_path / "out")
    row = finished(job, done)

    def unreadable(*_: object, **__: object) -> None:
        raise CaseError("the share is gone")

    monkeypatch.setattr(visit, "load_case", unreadable)
    found = {one.model: one for one in visit.read(job).rows}
    assert found["tiny"] == row
    assert found["other"].reason == "the share is gone"
    assert read_record(Layout(job.root).record(job.case_id, "tiny")).row == row
