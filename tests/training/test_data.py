import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.augment import augmentation
from napari_brats.training.data import (
    Crops,
    Sample,
    cached_path,
    loose_crop,
    prepared_sample,
    sample_of,
)

RECIPE = RECIPES["brain-1.5mm"]


@pytest.fixture
def sample():
    """A brain of 16 x 18 x 14 voxels with a nested tumor."""
    rng = np.random.default_rng(0)
    images = np.zeros((4, 20, 22, 18), np.float16)
    images[:, 2:18, 2:20, 2:16] = rng.normal(3, 1, (4, 16, 18, 14))
    tissues = np.zeros((20, 22, 18), np.uint8)
    tissues[5:13, 5:13, 5:13] = 2
    tissues[7:11, 7:11, 7:11] = 3
    tissues[8:10, 8:10, 8:10] = 1
    return Sample(images, tissues)


@pytest.fixture
def sample_path(sample, tmp_path):
    path = tmp_path / "sample.npz"
    sample.save(path)
    return path


def test_no_samples_is_an_error_that_says_what_to_give():
    """Empty case: there is nothing to draw from."""
    with pytest.raises(CaseError, match="--data"):
        Crops([], [], 0.5, (8, 8, 8), 0)


def test_a_sample_survives_the_disk(sample, sample_path):
    """Saving and loading give the same voxels and types."""
    again = Sample.load(sample_path)
    np.testing.assert_array_equal(again.images, sample.images)
    np.testing.assert_array_equal(again.tissues, sample.tissues)
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
    here = cached_path(tmp_path, "patient", tmp_path / "t1.nii.gz", RECIPE)
    assert here != cached_path(tmp_path, "patient", tmp_path / "t1.nii.gz", RECIPES["brain-1mm"])
    assert here == cached_path(tmp_path, "patient", tmp_path / "t1.nii.gz", RECIPE)


def test_resizing_invents_no_tissue():
    """Where enhancing tumor (3) meets background (0), no 1 or 2 comes between."""
    tissues = np.zeros((20, 22, 18), np.uint8)
    tissues[6:13, 6:13, 6:13] = 3
    images = {name: np.ones(tissues.shape, np.float32) for name in ("t1", "t1ce", "t2", "flair")}
    resized = prepared_sample(RECIPES["brain-1mm"], images, tissues, np.diag([1.7, 1.7, 1.7, 1.0]))
    assert resized.tissues.shape != tissues.shape
    assert set(np.unique(resized.tissues)) == {0, 3}


@pytest.mark.parametrize("crop", [(8, 8, 8), (32, 32, 32), (12, 40, 8)])
def test_a_loose_crop_has_its_size_and_shows_the_volume(sample, crop):
    """Smaller crops cut, larger ones pad with 0 and keep the whole tumor."""
    item = loose_crop(sample, crop, np.random.default_rng(1))
    size = tuple(round(side * 1.3) for side in crop)
    assert item["images"].shape == (4, *size)
    assert item["tissues"].shape == (1, *size)
    if crop == (32, 32, 32):
        assert np.count_nonzero(item["tissues"]) == np.count_nonzero(sample.tissues)


def test_augmentation_keeps_codes_and_background(sample):
    """Masks stay whole numbers of the same set; voxels outside the brain stay 0."""
    item = loose_crop(sample, (16, 16, 16), np.random.default_rng(1))
    for seed in range(4):
        out = augmentation((16, 16, 16), seed)(dict(item))
        assert tuple(out["images"].shape) == (4, 16, 16, 16)
        assert set(np.unique(out["tissues"])) <= {0, 1, 2, 3}
    empty = {name: np.zeros_like(value) for name, value in item.items()}
    assert not np.any(np.asarray(augmentation((16, 16, 16), 0)(empty)["images"]))


def test_the_same_seed_draws_the_same_crops(sample_path):
    """Determinism: two streams of one seed agree, another seed differs."""

    def first(seed):
        images, regions = next(iter(Crops([sample_path], [], 0.3, (16, 16, 16), seed)))
        return images.numpy(), regions.numpy()

    images, regions = first(3)
    again, regions_again = first(3)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(regions, regions_again)
    assert not np.array_equal(images, first(4)[0])


def test_regions_of_a_crop_are_nested(sample_path):
    """ET lies inside TC inside WT after any augmentation."""
    stream = iter(Crops([sample_path], [], 0.3, (16, 16, 16), 0))
    for _ in range(5):
        whole, core, enhancing = next(stream)[1].numpy()
        assert np.all(enhancing <= core)
        assert np.all(core <= whole)
