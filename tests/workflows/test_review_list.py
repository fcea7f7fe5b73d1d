"""Table, queue and reviews, put together."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.case import load_case
from napari_brats.cli import main
from napari_brats.editing.review import mark, read_review
from napari_brats.editing.states import State as ReviewState
from napari_brats.errors import CaseError
from napari_brats.metrics.ranking import Ranked
from napari_brats.naming import recognize
from napari_brats.workflows.cohort.job import Settings
from napari_brats.workflows.cohort.plan import Plan, plan_cohort
from napari_brats.workflows.cohort.provenance import write_provenance
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import write_table
from napari_brats.workflows.review_list import files_of, items_of, patients_at, read_items


def test_items(tmp_path: Path, make_patient_folder: Callable[..., Path]) -> None:
    """Patients in the queue's order, those without a place last; state, warnings and words."""
    sources = {}
    for number in range(3):
        folder = make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{number}")
        sources[folder.name] = str(next(iter(recognize(folder).images.values())))
    first, second, third = sources
    rows = [
        Row(first, "a", State.DONE, source=sources[first], warnings=("turned",)),
        Row(first, "b", State.FAILED, "No Memory", source=sources[first]),
        Row(second, "a", State.DONE, source=sources[second], warnings=("turned", "old")),
        Row(second, "b", State.WAITING, source=sources[second]),
        Row(third, "a", State.DONE, source=sources[third]),
    ]
    mark(recognize(tmp_path / third), ReviewState.IN_PROGRESS, "Ada")
    (tmp_path / first / f"{first}_review.json").write_text("{")
    queue = [Ranked(third, 0.5, {"far": 0.5}, ("2 Far foci",)), Ranked(second, 0.1)]
    found = items_of(rows, queue, {})
    assert [(item.patient, item.place) for item in found] == [
        (third, 1),
        (second, 2),
        (first, None),
    ]
    assert [item.state for item in found] == [State.DONE, State.WAITING, State.FAILED]
    assert found[0].review == ReviewState.IN_PROGRESS
    assert found[1].warnings == ("turned", "old")
    assert found[2].warnings[:2] == ("b: No Memory", "turned")
    assert "cannot read the reviews" in found[2].notes[0]
    assert "2 far foci" in found[0].words
    assert "no memory" in found[2].words
    assert found[1].row("b") == rows[3]
    assert found[2].row("c") is None
    assert files_of(found[0]).case_id == third


@pytest.fixture
def manifest(tmp_path: Path, make_patient_folder: Callable[..., Path], tiny_model: Path) -> Plan:
    """A cohort of two: a folder called otherwise, and files whose names and places say nothing."""
    folder = make_patient_folder(tmp_path / "data")
    rows = [{"case": "mine", "path": str(folder)}]
    row = {"case": "odd", "labels": "brats2012-2015"}
    for number, name in enumerate(("t1ce", "flair", "reference")):
        row[name] = f"far/{number}/scan{number}.nii.gz"
        ending = "seg" if name == "reference" else name
        path = tmp_path / row[name]
        path.parent.mkdir(parents=True)
        path.write_bytes((folder / f"{folder.name}_{ending}.nii.gz").read_bytes())
    (tmp_path / "m.json").write_text(json.dumps([*rows, row]))
    settings = Settings(labels="brats2024-gli")
    plan = plan_cohort(tmp_path / "m.json", tmp_path / "out", [str(tiny_model)], settings)
    write_provenance(plan)
    sources = {one.case_id: str(next(iter(one.images.values()))) for one in plan.patients}
    lines = [Row(case, "tiny", State.DONE, source=source) for case, source in sources.items()]
    write_table(plan.layout.csv, lines)
    return plan


def test_patients_of_a_manifest_open_as_the_run_knew_them(manifest: Plan) -> None:
    """All files wherever they lie, the reference that was named, the codes that were said."""
    _, odd = read_items(manifest.root)
    case = load_case(files_of(odd))
    assert list(case.images) == ["t1ce", "flair"]
    assert case.reference_path == manifest.patients[1].reference
    assert case.convention.name == "brats2024-gli"


def test_reviews_of_a_manifests_patients(manifest: Plan) -> None:
    """A mark lies where every command looks: under the folder's id, or the only one there is."""
    mine, odd = read_items(manifest.root)
    for item in (mine, odd):
        mark(files_of(item), ReviewState.IN_PROGRESS, "Ada")
    assert {item.review for item in read_items(manifest.root)} == {ReviewState.IN_PROGRESS}
    folder = manifest.patients[0].folder
    assert read_review(recognize(folder)).last.reader == "Ada"
    assert (manifest.patients[1].folder / "odd_review.json").exists()


def test_review_takes_a_cohorts_folder(manifest: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    """All patients of the output folder, or one of them by its folder there."""
    one = str(manifest.layout.folder("odd"))
    assert main(["review", one, "--in-progress", "--reader", "Ada"]) == 0
    capsys.readouterr()
    assert main(["review", str(manifest.root), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["reviews"]
    assert [(row["case"], row["state"]) for row in shown] == [
        ("BraTS2021_00005", "not started"),
        ("odd", "in progress"),
    ]
    assert main(["review", str(manifest.root), "--in-progress", "--reader", "Ada"]) == 2
    assert "holds 2 patients where one was expected" in capsys.readouterr().err


def test_a_damaged_list_of_patients(manifest: Plan) -> None:
    """It is named, and what to do."""
    manifest.layout.provenance.write_text('{"settings": {}}')
    for reader in (read_items, patients_at):
        with pytest.raises(CaseError, match=r"provenance\.json.*run napari-brats cohort again"):
            reader(manifest.root)
