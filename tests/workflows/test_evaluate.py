"""Comparing two masks on disk."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.cli import main
from napari_brats.errors import CaseError, LabelError
from napari_brats.metrics.table import METRICS
from napari_brats.regions import label_convention
from napari_brats.workflows.evaluate import evaluate

MakePatient = Callable[..., Path]


@pytest.fixture
def patient(tmp_path: Path, make_patient_folder: MakePatient) -> tuple[Path, Path]:
    """Return (prediction, reference): the same mask, one slice of it erased."""
    case = load_case(make_patient_folder(tmp_path))
    assert case.reference is not None
    assert case.reference_path is not None
    tissues = case.reference.copy()
    tissues[:, :, case.shape[2] // 2] = 0
    saved = save_segmentation(segmentation_of(case, tissues), tmp_path / "prediction.nii.gz")
    return saved, case.reference_path


def test_scores_equal_numpy(patient: tuple[Path, Path]) -> None:
    """Dice, sensitivity and volumes are those of the voxels on disk."""
    prediction, reference = patient
    p, r = (np.asarray(nib.load(path).dataobj) == 4 for path in patient)
    result = evaluate(prediction, reference).regions["ET"]
    assert result.dice == pytest.approx(2 * (p & r).sum() / (p.sum() + r.sum()))
    assert result.sensitivity == pytest.approx((p & r).sum() / r.sum())
    assert result.volume_ml == pytest.approx(p.sum() / 1000)
    assert result.reference_ml == pytest.approx(r.sum() / 1000)


def test_json_has_the_promised_keys(patient: tuple[Path, Path]) -> None:
    """Three generations of scores, each with the regions, and the rules in words."""
    content = json.loads(json.dumps(evaluate(*patient).to_json(), allow_nan=False))
    generations = ["regions", "subregions", "lesionwise_2023", "lesionwise_2026"]
    assert list(content) == [*generations, "rules"]
    assert list(content["regions"]) == ["WT", "TC", "ET"]
    assert set(content["regions"]["TC"]) == {
        "dice", "jaccard", "sensitivity", "specificity", "precision", "hd95_mm", "hausdorff_mm",
        "assd_mm", "nsd", "volume_ml", "reference_ml", "volume_difference_ml",
    }  # fmt: skip


def test_rows_hold_every_metric_of_the_table(patient: tuple[Path, Path]) -> None:
    """What goes into the CSV is METRICS, for each region."""
    rows = evaluate(*patient).rows()
    assert list(rows) == ["WT", "TC", "ET", "NETC", "SNFH"]
    for values in rows.values():
        assert set(values) == set(METRICS)


def test_the_task_follows_the_edition_or_the_choice(patient: tuple[Path, Path]) -> None:
    """Rules are those of the edition's task, unless another is asked for."""
    assert evaluate(*patient).task == "GLI"
    chosen = evaluate(*patient, task="MET")
    assert chosen.task == "MET"
    assert chosen.scores.rules["lesionwise_2023"].startswith("BraTS 2023 lesion-wise (MET)")


def test_a_patients_folder_stands_for_its_reference(patient: tuple[Path, Path]) -> None:
    """The reference can be given by its folder."""
    prediction, reference = patient
    assert evaluate(prediction, reference.parent) == evaluate(prediction, reference)


def test_the_convention_follows_the_references_name(patient: tuple[Path, Path]) -> None:
    """Codes are read by the edition's convention, or by the one asked for."""
    assert evaluate(*patient).convention == "brats2017-2021"
    with pytest.raises(LabelError, match="code 4"):
        evaluate(*patient, labels="brats2023-gli")


def test_a_name_that_tells_nothing_needs_labels(patient: tuple[Path, Path], tmp_path: Path) -> None:
    """Nothing is guessed from the codes of a file that another program wrote."""
    image = nib.load(patient[1])
    plain = tmp_path / "plain.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine), plain)
    with pytest.raises(LabelError, match="--labels"):
        evaluate(plain, plain)
    same = evaluate(plain, plain, labels="brats2017-2021")
    assert same.regions["WT"].dice == 1.0


def test_different_grids_are_told_apart(patient: tuple[Path, Path], tmp_path: Path) -> None:
    """The message names the number that differs."""
    prediction, reference = patient
    image = nib.load(prediction)
    affine = image.affine.copy()
    affine[2, 3] = 7.5
    moved = tmp_path / "moved.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), moved)
    with pytest.raises(CaseError, match=r"affine\[2, 3\]"):
        evaluate(moved, reference)


@pytest.mark.parametrize("swap", [False, True])
def test_a_missing_file_is_named(patient: tuple[Path, Path], *, swap: bool) -> None:
    """Either mask may be missing; the message quotes its path."""
    prediction, reference = patient
    nowhere = prediction.with_name("nowhere.nii.gz")
    pair = (prediction, nowhere) if swap else (nowhere, reference)
    with pytest.raises(CaseError, match=r"nowhere\.nii\.gz"):
        evaluate(*pair)


def test_a_folder_is_no_prediction(patient: tuple[Path, Path]) -> None:
    """A folder may hold several masks; one file is asked for."""
    prediction, reference = patient
    with pytest.raises(CaseError, match="is a folder"):
        evaluate(prediction.parent, reference)


def test_a_patient_without_reference_cannot_be_compared_with(
    patient: tuple[Path, Path], tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A folder without truth is refused by name."""
    folder = make_patient_folder(tmp_path, case_id="BraTS2021_00009", reference=False)
    with pytest.raises(CaseError, match=r"BraTS2021_00009.*no reference"):
        evaluate(patient[0], folder)


def test_a_folder_of_references_alone(patient: tuple[Path, Path], tmp_path: Path) -> None:
    """The edition's name tells the codes, also where no images lie beside the reference."""
    prediction, reference = patient
    alone = tmp_path / "truth" / reference.name
    alone.parent.mkdir()
    alone.write_bytes(reference.read_bytes())
    assert evaluate(prediction, alone).regions == evaluate(prediction, reference).regions


def test_what_to_know_about_the_codes_is_told(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names that two editions share come with a caution, unless the person chose."""
    folder = make_patient_folder(tmp_path, "brats-ped")
    reference = folder / "BraTS-PED-00005-000-seg.nii.gz"
    assert main(["evaluate", str(reference), str(folder)]) == 0
    assert "2023" in capsys.readouterr().err
    assert evaluate(reference, reference).notes == evaluate(reference, folder).notes != ()
    assert evaluate(reference, folder, labels="brats-ped").notes == ()


def test_a_reference_that_records_its_codes(patient: tuple[Path, Path], tmp_path: Path) -> None:
    """A file of ours needs no --labels under any name, and those are not taken for its own."""
    prediction, reference = patient
    case = load_case(reference)
    assert case.reference is not None
    mask = replace(segmentation_of(case, case.reference), convention=label_convention("msd"))
    said = save_segmentation(mask, tmp_path / "anything.nii.gz")
    found = evaluate(prediction, said)
    assert found.convention == "msd"
    assert found.regions["ET"] == evaluate(prediction, reference).regions["ET"]
    plain = tmp_path / "plain.nii.gz"
    image = nib.load(reference)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine), plain)
    assert evaluate(plain, said, labels="brats2017-2021").regions["ET"].dice == 1


def test_codes_that_a_header_does_not_know(patient: tuple[Path, Path], tmp_path: Path) -> None:
    """Another program's codes under our header: the message does not lead in a circle."""
    prediction, reference = patient
    image = nib.load(prediction)
    codes = np.where(np.asarray(image.dataobj) == 4, 3, np.asarray(image.dataobj))
    other = tmp_path / "other.nii.gz"
    nib.save(nib.Nifti1Image(codes, image.affine, image.header), other)
    with pytest.raises(LabelError, match=r"by its own header.*descrip"):
        evaluate(other, reference, labels="brats2023-gli")
