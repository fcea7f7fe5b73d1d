"""Segmenting one patient: what comes back, what is written, what is refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.errors import Cancelled, CaseError, OutputError
from napari_brats.inference.costs import Costs
from napari_brats.networks.card import Card
from napari_brats.workflows import segment as module
from napari_brats.workflows.segment import segment
from napari_brats.workflows.segmented import STAGES

MakePatient = Callable[..., Path]


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("fake_predictor")
def test_nothing_is_written_unless_asked_for(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """From Python a result is an object; files come with `output` only."""
    folder = make_patient_folder(tmp_path)
    before = files_in(tmp_path)
    result = segment(folder)
    assert result.output is None
    assert files_in(tmp_path) == before


@pytest.mark.usefixtures("fake_predictor")
def test_json_has_the_promised_keys(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """The keys are those of the command's contract, and every value is plain."""
    result = segment(make_patient_folder(tmp_path), output=tmp_path / "mask.nii.gz")
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert set(content) == {
        "case", "model", "members", "weights_sha256", "software", "mirrored", "missing",
        "device", "engine", "output", "seconds", "volumes_ml", "scores",
    }  # fmt: skip
    assert tuple(content["seconds"]) == STAGES
    assert tuple(content["volumes_ml"]) == ("WT", "TC", "ET")
    assert content["scores"] == {name: {"dice": 1.0} for name in ("WT", "TC", "ET")}
    assert content["case"] == "BraTS2021_00005"
    assert content["model"] == "dresunet3d-lite"
    assert content["members"] == ["dresunet3d-lite"]
    assert content["mirrored"] is False
    assert content["missing"] == []


@pytest.mark.usefixtures("fake_predictor")
def test_every_run_is_remembered(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """This program's first apart from the later ones, mirrored ones under a name of their own."""
    patient = load_case(make_patient_folder(tmp_path))
    for mirror in (False, False, True):
        result = segment(patient, model="remembered", mirror=mirror)
    runs = Costs.load().runs
    assert [(run.model, run.first) for run in runs] == [
        ("remembered-lite", True),
        ("remembered-lite", False),
        ("remembered-lite-mirrored", True),
    ]
    assert 0 < runs[2].total_seconds <= result.seconds["total"]
    assert runs[0].voxels == patient.images["t1"].size


@pytest.mark.usefixtures("fake_predictor")
def test_without_a_reference_there_are_no_scores(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A patient without truth gets volumes and null scores."""
    result = segment(make_patient_folder(tmp_path, reference=False))
    assert result.to_json()["scores"] is None
    assert set(result.volumes_ml.values()) == {0.0}


@pytest.mark.usefixtures("fake_predictor")
def test_the_mask_has_the_editions_codes_on_the_patients_grid(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """BraTS 2021 writes the enhancing tumor as 4; the affine is the source's."""
    folder = make_patient_folder(tmp_path)
    output = tmp_path / "out" / "mask.nii.gz"
    result = segment(folder, output=output)
    written = nib.load(output)
    assert set(np.unique(np.asarray(written.dataobj))) == {0, 1, 2, 4}
    assert written.get_data_dtype() == np.uint8
    assert np.allclose(written.affine, result.case.affine)


@pytest.mark.usefixtures("fake_predictor")
def test_another_convention_can_be_asked_for(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """``labels`` says what the codes mean, on reading and on writing."""
    folder = make_patient_folder(tmp_path, reference=False)
    result = segment(folder, labels="brats2023-gli")
    assert result.segmentation.convention.name == "brats2023-gli"


@pytest.mark.usefixtures("fake_predictor")
def test_probabilities_are_one_4d_file(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """WT, TC, ET along the fourth axis, within 1/65535 of what was computed."""
    target = tmp_path / "p.nii.gz"
    result = segment(make_patient_folder(tmp_path), probabilities=target)
    written = np.asarray(nib.load(target).dataobj)
    assert written.shape == (*result.case.shape, 3)
    assert np.allclose(np.moveaxis(written, 3, 0), result.probabilities, atol=1e-4)


def test_progress_and_choices_reach_the_predictor(
    tmp_path: Path, make_patient_folder: MakePatient, fake_predictor: list[tuple[str, ...]]
) -> None:
    """Model, device and `on_step` are handed on; a loaded case is taken as it is."""
    case = load_case(make_patient_folder(tmp_path))
    steps: list[tuple[int, int]] = []
    result = segment(case, model="m", device="cpu", on_step=lambda *step: steps.append(step))
    assert steps == [(0, 0), (0, 0), (0, 0), (1, 2), (2, 2)]
    assert (result.device, result.device_title) == ("cpu", "CPU, float32")
    assert fake_predictor == [("m", "cpu", "auto", "auto")]


@pytest.mark.parametrize("last", range(3))
def test_it_can_be_stopped_before_the_first_window(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    fake_predictor: list[tuple[str, ...]],
    last: int,
) -> None:
    """Before the images are read, before the network is loaded, before they are prepared."""
    told: list[tuple[int, int]] = []

    def stop(*step: int) -> None:
        told.append(step)
        if len(told) > last:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        segment(make_patient_folder(tmp_path), output=tmp_path / "mask.nii.gz", on_step=stop)
    assert told == [(0, 0)] * (last + 1)
    assert len(fake_predictor) == (last == 2)
    assert not (tmp_path / "mask.nii.gz").exists()


def test_a_card_edited_by_hand_counts_at_once(
    tmp_path: Path,
    make_patient_folder: MakePatient,
    fake_predictor: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Networks are kept for the next patient, but not with what their card said before."""
    monkeypatch.setattr(module, "_networks", lru_cache(module._networks))
    folder = make_patient_folder(tmp_path)
    for least, loads in ((0.0, 1), (0.0, 1), (0.5, 2)):
        card = Card(
            "a", "unet3d", "lite", "brain-2mm", (), "regions", least_enhancing_ml=least, sha256="1"
        )
        monkeypatch.setattr(module, "read_cards", lambda _, card=card: (card,))
        segment(folder)
        assert len(fake_predictor) == loads


@pytest.mark.usefixtures("fake_predictor")
def test_what_on_step_raises_stops_the_work(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Stopping leaves no file behind."""

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    output = tmp_path / "mask.nii.gz"
    with pytest.raises(KeyboardInterrupt):
        segment(make_patient_folder(tmp_path), output=output, on_step=stop)
    assert not output.exists()


def test_bad_targets_are_refused_before_the_network_runs(
    tmp_path: Path, make_patient_folder: MakePatient, fake_predictor: list[tuple[str, ...]]
) -> None:
    """A path through a file is refused before even the model is loaded."""
    (tmp_path / "file").touch()
    for option in ("output", "probabilities"):
        with pytest.raises(OutputError, match=f"--{option}"):
            segment(make_patient_folder(tmp_path), **{option: tmp_path / "file" / "x.nii.gz"})
    assert fake_predictor == []


@pytest.mark.usefixtures("fake_predictor")
def test_a_source_is_never_the_target(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Neither mask nor probabilities go over an image."""
    folder = make_patient_folder(tmp_path)
    source = load_case(folder).image_paths["t1"]
    before = source.read_bytes()
    for option in ("output", "probabilities"):
        with pytest.raises(OutputError, match="source file"):
            segment(folder, **{option: source})
    assert source.read_bytes() == before


def test_one_file_cannot_hold_both_results(
    tmp_path: Path, make_patient_folder: MakePatient, fake_predictor: list[tuple[str, ...]]
) -> None:
    """The probabilities must not replace the mask."""
    same = tmp_path / "same.nii.gz"
    with pytest.raises(OutputError, match="both"):
        segment(make_patient_folder(tmp_path), output=same, probabilities=same)
    assert fake_predictor == []


def test_a_folder_and_a_file_in_it_cannot_be_the_same_file(
    tmp_path: Path, make_patient_folder: MakePatient, fake_predictor: list[tuple[str, ...]]
) -> None:
    """The mask's default name counts too: the probabilities would replace it."""
    same = tmp_path / "BraTS2021_00005_dresunet3d-lite_mask.nii.gz"
    with pytest.raises(OutputError, match="both"):
        segment(make_patient_folder(tmp_path), output=tmp_path, probabilities=same)
    assert fake_predictor == []


@pytest.mark.usefixtures("fake_predictor")
def test_a_mask_stays_when_the_probabilities_fail(
    tmp_path: Path, make_patient_folder: MakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up after the mask: it is whole, and the error says where it is."""

    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("napari_brats.workflows.segment.write_probabilities", full)
    mask, maps = tmp_path / "mask.nii.gz", tmp_path / "p.nii.gz"
    with pytest.raises(OutputError, match=r"full \(the mask is saved: .*mask.nii.gz"):
        segment(make_patient_folder(tmp_path), output=mask, probabilities=maps)
    assert nib.load(mask).shape == (20, 22, 18)


def test_a_missing_modality_costs_no_reading(
    tmp_path: Path, make_patient_folder: MakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the weights need is compared with the files' names, before a file is opened."""
    folder = make_patient_folder(tmp_path, modalities=["t1", "t2"])
    for path in folder.iterdir():
        path.write_bytes(b"would be an error if read")
    monkeypatch.setitem(sys.modules, "napari_brats.inference.predictor", None)
    with pytest.raises(CaseError, match=r"no flair and no t1ce \(it has t1, t2\).*dresunet3d-lite"):
        segment(folder)


@pytest.mark.usefixtures("fake_predictor")
def test_notes_about_the_files_are_passed_on_before_the_work(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Oddities of a patient reach the person first, so that a wrong file can be stopped."""
    folder = make_patient_folder(tmp_path)
    (folder / "BraTS2021_00005_t1.nii").write_bytes(b"")
    note = "'BraTS2021_00005_t1.nii' is ignored: 'BraTS2021_00005_t1.nii.gz' is read"
    heard: list[str] = []
    segment(folder, on_notice=heard.append, on_step=lambda *step: heard.append(f"{step}"))
    assert heard == ["(0, 0)", "(0, 0)", note, "(0, 0)", "(1, 2)", "(2, 2)"]


@pytest.mark.usefixtures("fake_predictor")
def test_a_dataset_root_lists_its_patients(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """One patient is segmented at a time; the message names the first ones."""
    for number in (1, 2):
        make_patient_folder(tmp_path, case_id=f"BraTS2021_0000{number}")
    with pytest.raises(CaseError, match=r"2 patients.*BraTS2021_00001.*choose"):
        segment(tmp_path)


def test_importing_the_workflow_needs_no_torch() -> None:
    """Torch is loaded when a network is used, not before."""
    code = "import sys, napari_brats.workflows.segment; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
