"""Finding the patients of a cohort: folders, manifests, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.errors import CaseError, CheckpointError, OutputError
from napari_brats.workflows.cohort.patients import cohort_patients
from napari_brats.workflows.cohort.plan import in_words, plan_cohort

MakePatient = Callable[..., Path]


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    """An empty folder, and a manifest without rows."""
    with pytest.raises(CaseError, match=r"no patients found.*expected names such as"):
        cohort_patients(tmp_path)
    (tmp_path / "m.csv").write_text("path\n")
    with pytest.raises(CaseError, match="lists no patient"):
        cohort_patients(tmp_path / "m.csv")


def test_editions_may_be_mixed_and_linked(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Patients of two editions, one behind a link, each once."""
    make_patient_folder(tmp_path / "in")
    make_patient_folder(tmp_path / "far", "brats-gli", reference=False)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "far")
    found = cohort_patients(tmp_path / "in")
    assert {one.naming for one in found} == {"brats2021", "brats-gli"}


@pytest.mark.parametrize("kind", ["csv", "tsv", "json"])
def test_manifests_name_patients(
    tmp_path: Path, make_patient_folder: MakePatient, kind: str
) -> None:
    """A path, a name and a reference of one's own; paths count from the manifest."""
    folder = make_patient_folder(tmp_path / "data")
    other = folder / "other_seg.nii.gz"
    other.write_bytes(next(folder.glob("*_seg.nii.gz")).read_bytes())
    row = {"case": "mine", "path": f"data/{folder.name}", "reference": str(other)}
    comma = "\t" if kind == "tsv" else ","
    lines = [comma.join(row), comma.join(row.values())]
    text = json.dumps([row]) if kind == "json" else "\n".join(lines)
    (tmp_path / f"m.{kind}").write_text(text)
    (patient,) = cohort_patients(tmp_path / f"m.{kind}")
    assert (patient.case_id, patient.reference) == ("mine", other)
    assert patient.images["t1"].is_file()


def test_a_manifest_may_name_every_file(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Then names mean nothing, and the codes must be said."""
    folder = make_patient_folder(tmp_path)
    (tmp_path / "flair.nii.gz").write_bytes(next(folder.glob("*flair*")).read_bytes())
    (tmp_path / "m.csv").write_text("case,labels,flair\nmine,brats2017-2021,flair.nii.gz\n")
    (patient,) = cohort_patients(tmp_path / "m.csv")
    assert dict(patient.images) == {"flair": tmp_path / "flair.nii.gz"}


def test_columns_may_have_the_names_of_any_edition(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """No modality is passed over because its column is called otherwise."""
    folder = make_patient_folder(tmp_path)
    files = [str(next(folder.glob(f"*_{name}.*"))) for name in ("t1ce", "flair")]
    (tmp_path / "m.csv").write_text(
        f"Case,labels,t1gd,T2F,age,\nmine,brats2017-2021,{','.join(files)},61,\n"
    )
    (patient,) = cohort_patients(tmp_path / "m.csv")
    assert [str(path) for path in patient.images.values()] == files
    assert list(patient.images) == ["t1ce", "flair"]


def test_a_folder_or_its_files_but_not_both(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A file that is named beside a folder would be passed over."""
    folder = make_patient_folder(tmp_path)
    image = next(folder.glob("*_t1.*"))
    (tmp_path / "m.json").write_text(json.dumps([{"path": str(folder), "t1": str(image)}]))
    with pytest.raises(CaseError, match="it has path, t1; expected path, or case, labels"):
        cohort_patients(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected a list of objects"),
        ("{", "cannot read the manifest"),
        ('[{"case": "x"}]', "row 1.*expected path"),
        ('[{"path": "nowhere"}]', "row 1.*does not exist"),
        ('[{"case": "x", "labels": "brats2017-2021", "t1": "no.nii.gz"}]', "no file"),
        ('[{"case": "x", "labels": "1999", "path": "."}]', "1999"),
        ('[{"path": ".", "flar": "x.nii"}]', "row 1: no use for the column 'flar'.*expected path"),
        ('[{"t1ce": "a.nii", "T1Gd": "b.nii"}]', "row 1: a second column for 't1ce': 'T1Gd'"),
        ('[{"path": ".", "t1": "x.nii"}]', "no file"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path: Path, text: str, message: str) -> None:
    """File, row and what was expected."""
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(Exception, match=message) as error:
        cohort_patients(tmp_path / "m.json")
    assert type(error.value).__module__ == "napari_brats.errors"


def test_two_patients_of_one_name_are_refused(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """The same name at two sites, or names that differ in no letter or digit."""
    for site in ("a", "b"):
        make_patient_folder(tmp_path / site, reference=False)
    with pytest.raises(CaseError, match=r"2 patients are called 'BraTS2021_00005'.*manifest"):
        cohort_patients(tmp_path)
    rows = [{"case": name, "path": "a/BraTS2021_00005"} for name in ("x-1", "x_1")]
    (tmp_path / "m.json").write_text(json.dumps(rows))
    with pytest.raises(CaseError, match="'x-1' and 'x_1'"):
        cohort_patients(tmp_path / "m.json")
    (tmp_path / "m.json").write_text(json.dumps([{**rows[0], "case": "../x"}]))
    with pytest.raises(CaseError, match="cannot be a file's name"):
        cohort_patients(tmp_path / "m.json")


def test_what_the_plan_refuses(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Results among the patients, an unknown model, too little room."""
    source = tmp_path / "in"
    folder = make_patient_folder(source, reference=False)
    (tmp_path / "link").symlink_to(source)
    for output in (source, source / "out", folder / "out", tmp_path / "link" / "out"):
        with pytest.raises(OutputError, match="lies in"):
            plan_cohort(source, output, [str(tiny_model)])
    with pytest.raises(CheckpointError, match="dresunet9"):
        plan_cohort(source, tmp_path / "out", [str(tiny_model), "dresunet9"])
    monkeypatch.setattr("napari_brats.workflows.cohort.plan._free_bytes", lambda _: 1000)
    with pytest.raises(OutputError, match="free space"):
        plan_cohort(source, tmp_path / "out", [str(tiny_model)])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (7500, "2 h 5 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    """Seconds, minutes, hours."""
    assert in_words(seconds) == words
