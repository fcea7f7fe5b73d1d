import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.errors import CaseError
from napari_brats.naming import recognize
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.data import (
    WHOLE,
    Sample,
    cache_patients,
    cached_path,
    prepared_sample,
    sample_of,
)

RECIPE = RECIPES["brain-1.5mm"]


def test_a_sample_survives_the_disk(sample, sample_path):
    """Saving and loading give the same voxels and types."""
    again = Sample.load(sample_path)
    np.testing.assert_array_equal(again.images, sample.images)
    np.testing.assert_array_equal(again.regions, sample.regions)
    assert again.images.dtype == np.float16


def test_a_case_becomes_a_sample_on_the_recipe_grid(tmp_path, make_patient_folder):
    """Images and tissues share the recipe's grid; no code appears that the case lacks."""
    case = load_case(make_patient_folder(tmp_path))
    sample = sample_of(case, RECIPE)
    assert sample.images.shape == (4, *sample.tissues.shape)
    assert set(np.unique(sample.tissues)) <= set(np.unique(case.reference))


def test_training_needs_a_reference(tmp_path, make_patient_folder):
    """A case without a reference mask is refused by name."""
    case = load_case(make_patient_folder(tmp_path, reference=False))
    with pytest.raises(CaseError, match="no reference"):
        sample_of(case, RECIPE)


def test_the_cache_tells_recipes_apart(tmp_path):
    """Another recipe never finds the arrays of this one."""
    image = tmp_path / "t1.nii.gz"
    image.touch()
    here = cached_path(tmp_path, "patient", [image], RECIPE)
    assert here != cached_path(tmp_path, "patient", [image], RECIPES["brain-1mm"])
    assert here == cached_path(tmp_path, "patient", [image], RECIPE)


def test_a_corrected_mask_is_prepared_again(tmp_path, make_patient_folder):
    """What the cache holds of the mask before is not taken for the mask of now."""
    folder = make_patient_folder(tmp_path)
    (first,) = cache_patients([folder], RECIPE, tmp_path, lambda line: None)
    mask = recognize(folder).reference
    image = nib.load(mask)
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine), mask)
    (second,) = cache_patients([folder], RECIPE, tmp_path, lambda line: None)
    assert Sample.load(first).regions.any()
    assert not Sample.load(second).regions.any()


def test_resizing_invents_no_tissue():
    """Where enhancing tumor (3) meets background (0), no 1 or 2 comes between."""
    tissues = np.zeros((20, 22, 18), np.uint8)
    tissues[6:13, 6:13, 6:13] = 3
    images = {name: np.ones(tissues.shape, np.float32) for name in ("t1", "t1ce", "t2", "flair")}
    resized = prepared_sample(RECIPES["brain-1mm"], images, tissues, np.diag([1.7, 1.7, 1.7, 1.0]))
    assert resized.tissues.shape != tissues.shape
    assert set(np.unique(resized.tissues)) == {0, 3}


def test_a_coarse_voxel_holds_its_share_of_a_region():
    """A plane of 1 mm that a grid of 1.5 mm cannot show is kept as a share, not lost."""
    tissues = np.zeros((30, 30, 30), np.uint8)
    tissues[6:24, 6:24, 15] = 3
    images = {name: np.ones(tissues.shape, np.float32) for name in ("t1", "t1ce", "t2", "flair")}
    sample = prepared_sample(RECIPES["brain-1.5mm"], images, tissues, np.diag([-1.0, -1, 1, 1]))
    shares = sample.regions / WHOLE
    assert ((shares > 0.1) & (shares < 0.9)).any()
    assert shares[2].sum() * 1.5**3 == pytest.approx(18 * 18, rel=0.2)


def test_patients_of_one_folder_are_told_apart(tmp_path, make_patient_folder):
    """The Decathlon keeps all images in one folder: each patient has its own sample."""
    for number in (1, 2):
        image = make_patient_folder(
            tmp_path / "msd", "msd-task01", case_id=f"BRATS_00{number}", seed=10 * number
        )
    found = cache_patients([image.parent.parent], RECIPES["brain-1mm"], tmp_path, lambda line: None)
    assert [path.name[:9] for path in found] == ["BRATS_001", "BRATS_002"]
    assert [source.name[:9] for source in found.values()] == ["BRATS_001", "BRATS_002"]


def test_a_patient_is_made_once(tmp_path, make_patient_folder):
    """What the cache holds is not made again; who has no reference is left out and named."""
    with_reference = make_patient_folder(tmp_path)
    without = make_patient_folder(tmp_path, case_id="BraTS2021_00006", reference=False)
    lines = []
    first = cache_patients([with_reference, without], RECIPE, tmp_path, lines.append)
    assert lines == [
        "preprocessed BraTS2021_00005",
        "left out BraTS2021_00006: it has no reference mask",
    ]
    before = next(iter(first)).stat().st_mtime_ns
    assert cache_patients([with_reference], RECIPE, tmp_path, lines.append) == first
    assert next(iter(first)).stat().st_mtime_ns == before


def test_a_copied_patient_counts_once(tmp_path, make_patient_folder):
    """Under another name, in other files, with another mask; not one that shares only its name."""
    first = make_patient_folder(tmp_path / "a")
    copy = make_patient_folder(tmp_path / "b", case_id="BraTS2021_00001", extension=".nii")
    mask = recognize(copy).reference
    nib.save(nib.Nifti1Image(np.zeros((20, 22, 18), np.uint8), nib.load(mask).affine), mask)
    namesake = make_patient_folder(tmp_path / "c", seed=50)
    lines = []
    found = cache_patients([first, copy, namesake], RECIPE, tmp_path, lines.append)
    assert {image.parent for image in found.values()} == {first, namesake}
    (line,) = [line for line in lines if line.startswith("left out")]
    left, _, kept = line.partition(": its images are those of ")
    assert (str(copy) in left, str(first) in kept) == (True, True)
    assert list(found) == sorted(found)
