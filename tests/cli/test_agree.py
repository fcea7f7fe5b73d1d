"""``agree``: masks of one case, folders of many, and a consensus as a new mask."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case, load_mask, save_segmentation, segmentation_of
from napari_brats.cli import main

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


def save_masks(folder: Path, makers: dict[str, int], into: Path | None = None) -> list[Path]:
    """Save masks that lack the given number of the reference's voxels."""
    case = load_case(folder)
    assert case.reference is not None
    paths = []
    for maker, missing in makers.items():
        tissues = case.reference.copy()
        tissues[tuple(axis[:missing] for axis in np.nonzero(tissues))] = 0
        path = (into or folder) / f"{case.case_id}_{maker}_mask.nii.gz"
        paths.append(save_segmentation(segmentation_of(case, tissues), path))
    return paths


@pytest.mark.parametrize("rule", ["majority", "staple"])
def test_one_case(
    rule: str, tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """Three masks: the matrix as counted, and the consensus on the same grid in the same codes."""
    masks = save_masks(make_patient_folder(tmp_path), {"ada": 0, "bob": 0, "eve": 24})
    output = tmp_path / "joined.nii.gz"
    words = ["agree", *map(str, masks), "--consensus", rule, "--output", str(output)]
    assert main([*words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    voxels = int((load_case(masks[0].parent).reference > 0).sum())
    assert content["dice"]["WT"][0] == pytest.approx([1, 1, 2 * (voxels - 24) / (2 * voxels - 24)])
    assert 0 < content["kappa"]["regions"]["WT"] < 1
    assert content["volumes_ml"]["WT"][0] == pytest.approx(voxels / 1000)
    joined, first = nib.load(output), nib.load(masks[0])
    assert np.array_equal(joined.get_fdata(), first.get_fdata())
    assert np.allclose(joined.affine, first.affine)
    assert joined.header["qform_code"] == first.header["qform_code"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "Fleiss' kappa" in printed
    assert ("specificity" in printed) == (rule == "staple")


def test_folders(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """References, and masks of two models in one folder: matched by case, ICC over all cases."""
    data, results, joined = tmp_path / "data", tmp_path / "results", tmp_path / "joined"
    results.mkdir()
    for number in (5, 6, 7):
        folder = make_patient_folder(data, case_id=f"BraTS2021_0000{number}")
        makers = {"dr_unet104": 10 * number - 50, "unet": 0} if number < 7 else {}
        save_masks(folder, makers, results)
    words = ["agree", str(data), str(results), "--consensus", "majority", "--output", str(joined)]
    assert main([*words, "--json"]) == 0
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert content["readers"] == ["data", "dr_unet104", "unet"]
    assert content["icc"]["WT"]["cases"] == 2
    assert content["mean_dice"]["WT"][0][2] == 1
    assert content["mean_dice"]["WT"][0][1] < 1
    assert "BraTS2021_00007: 1 mask" in printed.err
    names = sorted(path.name for path in joined.iterdir())
    assert names == [f"BraTS2021_0000{n}_consensus-majority_mask.nii.gz" for n in (5, 6)]
    assert main(words) == 0
    assert len(list(joined.iterdir())) == 4, "a consensus never replaces an older one"
    assert "ICC" in capsys.readouterr().out


def test_folders_of_masks_alone(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """Without a patient the masks' own names tell the cases."""
    folder = make_patient_folder(tmp_path / "data")
    for name in ("ada", "bob"):
        (tmp_path / name).mkdir()
        save_masks(folder, {name: 0}, tmp_path / name)
    assert main(["agree", str(tmp_path / "ada"), str(tmp_path / "bob"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert list(content["cases"]) == ["BraTS2021_00005"]
    assert content["icc"]["WT"]["icc"] is None


def test_mistakes(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """Each mistake is one line, and nothing is written over a mask that was read."""
    data = tmp_path / "data"
    folder = make_patient_folder(data)
    (mask,) = save_masks(folder, {"ada": 0})
    other = make_patient_folder(tmp_path / "other", shape=(20, 22, 20))
    (small,) = save_masks(other, {"bob": 0})
    strange = tmp_path / "strange.nii.gz"
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), 9, np.uint8), np.eye(4)), strange)
    odd = tmp_path / "odd.nii.gz"
    odd.write_bytes(strange.read_bytes())
    before = mask.read_bytes()
    joined = ["--consensus", "majority", "--output"]
    for words, says in (
        ([mask], "two or more"),
        ([mask, mask], "given twice"),
        ([mask, small], "one grid"),
        ([mask, data], "mixed"),
        ([strange, strange.parent / "none.nii.gz"], "does not exist"),
        ([mask, folder / "BraTS2021_00005_seg.nii.gz", *joined, mask], "source file"),
        ([mask, mask, "--output", tmp_path / "x.nii.gz"], "belong together"),
        ([strange, odd], "--labels"),
    ):
        assert main(["agree", *map(str, words)]) == 2
        assert says in capsys.readouterr().err
    assert mask.read_bytes() == before


def test_silent_masks(tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured) -> None:
    """A mask whose name tells nothing is read like the others, which is said."""
    folder = make_patient_folder(tmp_path / "data")
    reference = folder / "BraTS2021_00005_seg.nii.gz"
    plain = tmp_path / "from-elsewhere.nii.gz"
    plain.write_bytes(reference.read_bytes())
    assert main(["agree", str(reference), str(plain)]) == 0
    assert "does not tell its codes" in capsys.readouterr().err
    assert load_mask(reference, load_case(folder).convention)[0].any()
