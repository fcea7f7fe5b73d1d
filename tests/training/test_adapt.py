"""From reviewed masks to an installed model, or to none."""

import errno
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_brats.case import load_case, save_segmentation, segmentation_of
from napari_brats.editing.review import mark
from napari_brats.editing.states import State
from napari_brats.errors import Cancelled, CheckpointError, OutputError, TrainingError
from napari_brats.naming import find_patients, recognize
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import added_names
from napari_brats.networks.checkpoint import load_checkpoint, read_card, save_checkpoint
from napari_brats.networks.installing import add_model
from napari_brats.networks.lineage import fingerprint, roll_back, seen_by
from napari_brats.networks.registry import create_model
from napari_brats.training.adapt import _Run, adapt
from napari_brats.training.adapt_config import AdaptConfig
from napari_brats.training.adapting import mixed_in
from napari_brats.training.candidates import SHARES
from napari_brats.training.corrections import Lesson

pytestmark = [
    # forking in a process with threads: DataLoader's default on Linux, harmless for its workers
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

NARROW = {"width": 2, "in_channels": 4, "out_channels": 3}


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A narrow network with batch norm, and a model folder of its own.

    Its crop leaves two voxels at the bottom: gradients of one are not always finite.
    """
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    torch.manual_seed(0)
    network = create_model("dresunet3d", "lite", **NARROW)
    card = Card(
        name="ward", architecture="dresunet3d", size="lite", recipe="brain-2mm", options=NARROW,
        modalities=("flair", "t1ce", "t2", "t1"), outputs="regions",
        training={"steps": 7, "crop": [48, 48, 48]},
    )  # fmt: skip
    save_checkpoint(network.eval(), card, tmp_path / "ward")
    return tmp_path / "ward.safetensors"


@pytest.fixture
def cases(tmp_path, make_patient_folder):
    """Three cases whose masks somebody stands for, and one without."""
    for number in range(4):
        folder = make_patient_folder(
            tmp_path / "cases", case_id=f"BraTS2021_0000{number}", shape=(34, 36, 32),
            seed=number + 1, reference=False,
        )  # fmt: skip
        case = load_case(folder)
        mask = segmentation_of(case, (case.images["t1"] > 550).astype(np.uint8) * 3)
        if number < 3:
            save_segmentation(mask, folder / f"{case.case_id}_ward_mask.nii.gz")
            mark(recognize(folder), State.DONE, "Ada")
    return tmp_path / "cases"


@pytest.fixture
def config(model, cases, monkeypatch):
    """Settings that take seconds; the bundled patients are as large as real ones."""
    monkeypatch.setattr("napari_brats.training.adapt.sample_lessons", lambda modalities: [])
    given = {"steps": 2, "workers": 0, "device": "cpu", "learning_rate": 1e-2}
    return AdaptConfig(model=str(model), cases=(cases,), **given)


def quietly(line):
    """Take a notice and say nothing."""


def test_a_better_model_is_installed_with_its_lineage(config, cases, monkeypatch):
    """Under its own name, batch norm's statistics kept; what it has seen is never held back.

    Rolling back removes it.
    """
    monkeypatch.setattr("napari_brats.training.adapt.objections", lambda rows: ())
    lines, reports = [], []
    result = adapt(config, on_notice=lines.append, on_progress=reports.append)
    assert (result.installed, result.candidate, result.steps) == (True, "ward-adapted", 2)
    assert (len(result.trained_on), len(result.compared)) == (2, 1)
    assert "left out BraTS2021_00003: it has no saved mask" in lines
    assert "BraTS2021_00000: BraTS2021_00000_ward_mask.nii.gz, reviewed by Ada" in lines
    assert reports[-1].fraction == 1
    old, parent = load_checkpoint(config.model)
    new, card = load_checkpoint("ward-adapted")
    assert card.training["adapted_from"] == config.model
    assert card.training["share_of_new_weights"] in SHARES
    told = next(line for line in lines if "by share of the new weights" in line)
    assert all(f" at {share:g}" in told for share in SHARES)
    assert card.training["adapted_from_sha256"] == parent.sha256
    assert card.training["started_from"]["steps"] == 7
    assert "BraTS2021_0000" not in str(card.to_json())
    assert card.scores["mean"] == pytest.approx(result.compared[0].after, abs=1e-4)
    buffers = dict(old.named_buffers())
    for name, values in new.named_buffers():
        torch.testing.assert_close(values, buffers[name], msg=name)
    assert any(
        not torch.equal(one, two)
        for one, two in zip(old.parameters(), new.parameters(), strict=True)
    )
    learned = {fingerprint(cases / name / f"{name}_t1.nii.gz") for name in result.trained_on}
    assert seen_by(card) == learned
    shutil.rmtree(cases / result.compared[0].case_id)
    with pytest.raises(TrainingError, match="all 2 cases already"):
        adapt(replace(config, model="ward-adapted"), on_notice=quietly)
    assert roll_back("ward-adapted") == config.model
    assert added_names() == []


@pytest.mark.slow
def test_what_is_not_better_is_not_installed(config):
    """A learning rate of 0 improves nothing: the old model stays alone, and the reason is said."""
    still = replace(config, learning_rate=0.0, steps=1)
    temporary = set(Path(tempfile.gettempdir()).glob("napari-brats-adapt-*"))
    result = adapt(still, on_notice=quietly)
    assert not result.installed
    assert "0.000 only" in result.objections[0]
    assert added_names() == []
    assert result.to_json()["installed"] is None
    assert set(Path(tempfile.gettempdir()).glob("napari-brats-adapt-*")) == temporary


def test_temporary_files_that_stay_undo_nothing(config, monkeypatch):
    """Windows deletes no file that is mapped: the result is told all the same."""
    made = []

    def result(run, corrections):
        made.append(run.folder / "mapped.npy")
        made[0].write_bytes(b"x")
        return "installed"

    def unlink(path, **_):
        raise OSError(errno.EBUSY, "it is used by another process", path)

    monkeypatch.setattr("napari_brats.training.adapt._Run.result", result)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink)
        assert adapt(config, on_notice=quietly) == "installed"
    assert made[0].exists()
    shutil.rmtree(made[0].parent)


@pytest.mark.parametrize("after", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 9))])
def test_stopping_installs_nothing(config, after):
    """Stopped while reading, while comparing, or while training."""
    asked = iter(range(100))
    with pytest.raises(Cancelled, match="nothing was installed"):
        adapt(config, on_notice=quietly, stop=lambda: next(asked) >= after)
    assert added_names() == []


def test_too_few_cases(config, cases):
    """The count, the reasons and both cures are in the one line."""
    for number in (0, 1):
        (cases / f"BraTS2021_0000{number}" / f"BraTS2021_0000{number}_review.json").unlink()
    with pytest.raises(TrainingError, match=r"1 of 4 cases.*not reviewed.*--done.*--all"):
        adapt(config, on_notice=quietly)


def test_masks_that_do_not_fit_leave_too_few(config, cases):
    """A mask on another grid costs its case, and is named."""
    foreign = cases.parent / "foreign.nii.gz"
    for number in (0, 1):
        folder = cases / f"BraTS2021_0000{number}"
        next(folder.glob("*_mask.nii.gz")).rename(foreign)
        small = recognize(cases / "BraTS2021_00003").images["t1"]
        import nibabel as nib

        codes = np.zeros((8, 8, 8), np.uint8)
        nib.save(nib.Nifti1Image(codes, nib.load(small).affine), foreign)
        mark(recognize(folder), State.DONE, "Ada", mask=foreign)
    lines = []
    with pytest.raises(TrainingError, match="1 of 4 cases"):
        adapt(config, on_notice=lines.append)
    assert any("foreign.nii.gz" in line and "left out" in line for line in lines)


def test_who_is_held_back_is_not_mixed_in(config, cases, tmp_path, make_patient_folder):
    """A folder of --mix may hold the cases too: they are left out, and it is said."""
    other = make_patient_folder(
        tmp_path / "mix", case_id="BraTS2021_00007", shape=(34, 36, 32), seed=9
    )
    patients = [cases / "BraTS2021_00000", other]
    lessons = [
        Lesson(files, next(files.folder.glob("*_mask.nii.gz")))
        for files in find_patients(cases)[:3]
    ]
    for lesson in lessons:
        shutil.copyfile(lesson.mask, lesson.files.folder / f"{lesson.files.case_id}_seg.nii.gz")
    card, lines = read_card(config.model), []
    mixed = mixed_in(patients, [], lessons, card, tmp_path, lines.append)
    assert list(mixed) == [fingerprint(recognize(other).images["t1"])]
    assert "not mixed in: 1 patients of --mix, which are among the cases" in lines


def test_a_copy_of_a_case_counts_once(config, cases):
    """Given twice, by a copy or by another path, a case is not both held back and learned from."""
    lines, copied = [], cases.parent / "copied"
    shutil.copytree(cases / "BraTS2021_00000", copied / "BraTS2021_00000")
    shutil.rmtree(cases / "BraTS2021_00001")
    shutil.rmtree(cases / "BraTS2021_00002")
    with pytest.raises(TrainingError, match=r"1 of 3 cases.*its images are those of"):
        adapt(replace(config, cases=(cases, copied)), on_notice=lines.append)
    assert any("left out BraTS2021_00000: its images are those of" in line for line in lines)


def test_several_models_are_not_adapted():
    """An average has no weights of its own; it is said before any case is read."""
    with pytest.raises(CheckpointError, match="several models; adapt one"):
        adapt(AdaptConfig(model="all"))


def test_no_place_for_the_model_is_known_before_the_work(model, tmp_path, monkeypatch):
    """A model folder that cannot be written to ends nothing that took minutes."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="no model can be added"):
        adapt(AdaptConfig(model=str(model)))


def test_a_name_that_is_taken_meanwhile_costs_nothing(model):
    """Two adaptations at once: the later one gets the next name, and says so."""
    lines, config = [], AdaptConfig(model=str(model))
    add_model(model, "ward-adapted")
    run = _Run(config, read_card(model), "ward-adapted", model.parent, 0.0, quietly, lines.append,
               lambda: False)  # fmt: skip
    assert run._added(model) == "ward-adapted-v2"
    assert added_names() == ["ward-adapted", "ward-adapted-v2"]
    assert "the new model is 'ward-adapted-v2'" in lines[0]


def test_no_time(config):
    """Minutes that reading and comparing use up alone are refused with what they take."""
    with pytest.raises(TrainingError, match=r"0\.01 minutes leave no time.*--minutes"):
        adapt(replace(config, minutes=0.01), on_notice=quietly)


def test_a_full_disk_installs_nothing(config, monkeypatch):
    """Where temporary files do not fit, one line says so."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(OutputError, match=r"No space left.*TMPDIR"):
        adapt(config, on_notice=quietly)
    assert added_names() == []


def test_a_model_without_weights_or_a_taken_name(config, monkeypatch):
    """Refused before any case is read."""
    with pytest.raises(CheckpointError, match="no checkpoint"):
        adapt(replace(config, model="no-such"))
    with pytest.raises(CheckpointError, match="another name with --name"):
        adapt(replace(config, name="dresunet3d"))
