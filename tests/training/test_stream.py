from itertools import chain

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.data import WHOLE, Sample
from napari_brats.training.presets import preset_for
from napari_brats.training.stream import Consecutive, Crops, Pool, loose_crop

SIZE = (16, 16, 16)
PRESET = preset_for("ours", "dresunet3d")
RECIPE = RECIPES["brain-1.5mm"]


@pytest.fixture
def crops(sample_path):
    return Crops(Pool([sample_path]), None, 0.0, SIZE, 3, PRESET, RECIPE)


def test_no_samples_is_an_error_that_says_what_to_give():
    """Empty case: there is nothing to draw from."""
    with pytest.raises(CaseError, match="--data"):
        Crops(None, None, 0.5, SIZE, 0, PRESET, RECIPE)


@pytest.mark.parametrize("crop", [(8, 8, 8), (32, 32, 32), (12, 40, 8)])
def test_a_loose_crop_has_its_size_and_shows_the_volume(sample, crop):
    """Smaller crops cut, larger ones pad with 0 and keep the whole tumor."""
    item = loose_crop(sample, crop, np.random.default_rng(1))
    size = tuple(side + 2 * round(side * 0.15) for side in crop)
    assert item["images"].shape == (4, *size)
    assert item["regions"].shape == (3, *size)
    if crop == (32, 32, 32):
        assert np.count_nonzero(item["regions"][0]) == np.count_nonzero(sample.tissues)


def test_a_sample_depends_on_seed_and_number_alone(crops, sample_path):
    """The same number gives the same voxels, in any order; another number or seed does not."""
    images, regions = (part.numpy() for part in crops[7])
    crops[1]
    again, regions_again = (part.numpy() for part in crops[7])
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(regions, regions_again)
    assert not np.array_equal(images, crops[8][0].numpy())
    other = Crops(Pool([sample_path]), None, 0.0, SIZE, 4, PRESET, RECIPE)
    assert not np.array_equal(images, other[7][0].numpy())


def test_regions_of_a_crop_are_nested(crops):
    """ET lies inside TC inside WT after any augmentation."""
    for number in range(5):
        whole, core, enhancing = crops[number][1].numpy()
        assert np.all(enhancing <= core)
        assert np.all(core <= whole)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.25, 100), (1.0, 400)])
def test_the_share_of_synthetic_samples(sample, share, expected, monkeypatch):
    """As many as asked for are synthetic, give or take chance."""
    monkeypatch.setattr(
        "napari_brats.training.augment.augmentation", lambda *args, **options: unchanged
    )
    drawn = []

    def source(name):
        return lambda number, rng: drawn.append(name) or sample

    crops = Crops(source("real"), source("synthetic"), share, (4, 4, 4), 0, PRESET, RECIPE)
    for number in range(400):
        crops[number]
    assert drawn.count("synthetic") == pytest.approx(expected, abs=30 * (0 < share < 1))


def unchanged(item):
    from monai.data import MetaTensor

    return {name: MetaTensor(value) for name, value in item.items()}


@pytest.mark.parametrize("world", [1, 2, 3])
def test_processes_share_the_numbers(world):
    """Together they have each number once, and after an interruption the next ones."""
    first = [list(Consecutive(4, lambda: 0, rank, world)) for rank in range(world)]
    assert sorted(chain(*first)) == list(range(4 * world))
    after = [list(Consecutive(2, lambda: 4, rank, world)) for rank in range(world)]
    assert sorted(chain(*after)) == list(range(4 * world, 6 * world))


def test_samples_may_be_augmented_later(sample_path):
    """Cut in one place and augmented in another, as on a GPU, a sample is the same."""
    here, there = (Crops(Pool([sample_path]), None, 0.0, SIZE, 3, PRESET, RECIPE) for _ in "12")
    there.later = True
    for number in range(6):
        images, regions, seed = there[number]
        assert images.shape == (4, 20, 20, 20)
        made = there.augment(images, regions, seed)
        assert all(torch.equal(a, b) for a, b in zip(made, here[number], strict=True))


@pytest.mark.slow
def test_worker_processes_change_nothing(crops):
    """With or without workers the same batches come in the same order, but for rounding."""
    batches = []
    for workers in (0, 2):
        numbers = Consecutive(4, lambda: 0, 0, 1)
        with_workers = {"multiprocessing_context": "forkserver"} if workers else {}
        loader = DataLoader(crops, 2, sampler=numbers, num_workers=workers, **with_workers)
        batches.append([images.numpy() for images, _ in loader])
    np.testing.assert_allclose(batches[0], batches[1], atol=1e-5)


def test_a_sample_is_not_read_whole(sample_path):
    """Samples are mapped into memory, so that a crop reads what it shows."""
    assert isinstance(Sample.load(sample_path).images, np.memmap)


@pytest.mark.parametrize("sampling", ["tumor", "brain", "whole"])
def test_where_samples_are_taken(sample, sampling):
    """Half of them on tumor, all in the brain, or anywhere: what lies in the middle tells."""
    rng = np.random.default_rng(0)
    images, tissues = [], []
    for _ in range(200):
        item = loose_crop(sample, (1, 1, 1), rng, slack=1.0, sampling=sampling)
        images.append(item["images"][0, 0, 0, 0] != 0)
        tissues.append(item["regions"][0, 0, 0, 0] != 0)
    brain = np.mean(sample.images[0] != 0)
    tumor = np.mean(sample.tissues[np.asarray(sample.images[0]) != 0] != 0)
    expected = {"tumor": (1, 0.5 + tumor / 2), "brain": (1, tumor), "whole": (brain, brain * tumor)}
    assert np.mean(images) == pytest.approx(expected[sampling][0], abs=0.1)
    assert np.mean(tissues) == pytest.approx(expected[sampling][1], abs=0.1)


def test_empty_slices_are_no_brain(sample):
    """Kermi's recipe leaves slices without brain at 0, not at its background of -9."""
    images = np.where(sample.images == 0, np.float16(-9), sample.images)
    images[..., :6] = 0
    kermi, rng = Sample(images, sample.regions), np.random.default_rng(0)
    for _ in range(100):
        item = loose_crop(kermi, (1, 1, 1), rng, slack=1.0, sampling="brain", background=-9.0)
        assert item["images"][0, 0, 0, 0] not in (-9, 0)


def test_a_tumor_at_the_face_is_not_cut_away():
    """What the slack surrounds shows the tumor in half of the samples at least."""
    regions = np.zeros((3, 60, 60, 60), np.uint8)
    regions[:, :2, 58:, 30] = WHOLE
    corner = Sample(np.ones((4, 60, 60, 60), np.float16), regions)
    rng, shown, brain = np.random.default_rng(0), 0, []
    for _ in range(100):
        item = loose_crop(corner, (20, 20, 20), rng)
        shown += item["regions"][0, 3:-3, 3:-3, 3:-3].any()
        brain.append(item["images"][0, 3:-3, 3:-3, 3:-3].mean())
    assert shown > 35
    assert min(brain) >= (17 / 20) ** 3


def test_a_sample_without_brain(sample):
    """Empty case: nothing to center on, so anywhere will do."""
    empty = Sample(np.zeros_like(sample.images), np.zeros_like(sample.regions))
    assert not loose_crop(empty, (4, 4, 4), np.random.default_rng(0))["images"].any()


def test_whole_volumes_are_not_moved(sample):
    """A crop of the grid's own size is the volume itself; beyond it there is background."""
    shape = sample.tissues.shape
    rng = np.random.default_rng(0)
    item = loose_crop(sample, shape, rng, slack=1.0, sampling="whole")
    np.testing.assert_array_equal(item["images"], sample.images)
    larger = tuple(side + 4 for side in shape)
    padded = loose_crop(sample, larger, rng, slack=1.0, sampling="whole", background=-9.0)
    assert (padded["images"] == -9).sum() == 4 * (np.prod(larger) - np.prod(shape))
