import numpy as np
import pytest
import torch

from napari_brats.preprocessing.recipes import RECIPES, prepare
from napari_brats.training.augment import (
    OnBrain,
    RandBrightness,
    RandDropModality,
    RandLesionBrightness,
    _intensity,
    augmentation,
)
from napari_brats.training.stream import loose_crop


def test_augmentation_keeps_regions_nested_and_background(sample):
    """Shares stay between 0 and 1, ET in TC in WT; voxels outside the brain stay 0."""
    item = loose_crop(sample, (16, 16, 16), np.random.default_rng(1))
    for seed in range(4):
        out = augmentation((16, 16, 16), seed)(dict(item))
        assert tuple(out["images"].shape) == (4, 16, 16, 16)
        nested = np.stack([np.zeros((16, 16, 16)), *np.asarray(out["regions"])[::-1]])
        assert (np.diff(nested, axis=0) >= -1e-5).all()
        assert nested.max() <= 1 + 1e-5
    empty = {name: np.zeros_like(value) for name, value in item.items()}
    assert not np.any(np.asarray(augmentation((16, 16, 16), 0)(empty)["images"]))


def test_slices_are_turned_in_their_plane(sample):
    """A sample of one slice still shows brain after rotation, in most of its voxels."""
    item = loose_crop(sample, (10, 10, 1), np.random.default_rng(3))
    for seed in range(12):
        out = augmentation((10, 10, 1), seed, ("affine",))(dict(item))
        assert tuple(out["images"].shape) == (4, 10, 10, 1)
        assert np.mean(np.asarray(out["images"][0]) != 0) > 0.6


@pytest.mark.parametrize("depth", [40, 1])
def test_elastic_deformation_is_small_and_smooth(depth):
    """Some samples bend by a voxel or two, images and regions alike; most stay as they are."""
    rows = torch.arange(48.0)[None, :, None, None].expand(1, 48, 48, depth)
    bent = 0
    for seed in range(20):
        chain = augmentation((48, 48, depth), seed, ("elastic",))
        out = chain({"images": rows.clone(), "regions": rows.expand(3, -1, -1, -1) / 48})
        moved = (np.asarray(out["images"])[0] - rows[0].numpy())[14:-14, 14:-14]
        moved = moved[..., 14:-14] if depth > 1 else moved
        assert np.abs(moved).max() < 9
        assert np.abs(np.diff(moved, axis=0)).max() < 1
        np.testing.assert_allclose(out["regions"][1] * 48, out["images"][0], atol=1e-3)
        bent += bool(np.abs(moved).max() > 0.01)
    assert 0 < bent < 10


def test_what_is_not_turned_is_not_blurred(sample):
    """Three samples in ten are cut from the middle of the loose crop, voxel by voxel."""
    item = loose_crop(sample, (16, 16, 16), np.random.default_rng(1))
    middle = item["images"][:, 2:-2, 2:-2, 2:-2]
    outs = [augmentation((16, 16, 16), seed, ("affine",))(dict(item)) for seed in range(12)]
    assert any(np.allclose(out["images"], middle, atol=1e-3) for out in outs)


def test_a_slice_is_changed_as_much_as_a_volume():
    """No blur goes through a plane, which would fade what a single slice shows."""
    made = []
    for depth in (16, 1):
        images = torch.linspace(1, 2, 32)[None, :, None, None].expand(4, 32, 32, depth)
        regions = torch.zeros(3, 32, 32, depth)
        regions[:, 6:26, 6:26] = 1
        item = {"images": images, "regions": regions}
        chains = (augmentation((32, 32, depth), seed, ("lesion",)) for seed in range(4))
        made.append(np.stack([chain(dict(item))["images"] for chain in chains])[..., depth // 2])
    np.testing.assert_allclose(made[0], made[1], atol=1e-3)
    blur = _intensity((), through=0.0).transforms[2]
    blur.prob = 1.0
    assert blur({"images": torch.ones(4, 32, 32, 1)})["images"][0, 16, 16, 0] > 0.99


def test_low_resolution_moves_nothing():
    """Images stay where their regions are, whatever the factor."""
    rows = torch.arange(48.0)[None, :, None, None].expand(1, 48, 48, 8)
    coarse = _intensity((), through=1.0).transforms[3]
    coarse.prob = 1.0
    for seed in range(6):
        moved = coarse.set_random_state(seed)({"images": rows.clone()})["images"] - rows
        assert abs(float(moved[:, 12:-12].mean())) < 0.05


@pytest.mark.parametrize("background", [0.0, -9.0])
@pytest.mark.parametrize("depth", [16, 1])
def test_background_stays_background(background, depth):
    """Corners and all that is no brain hold the recipe's value, in empty slices 0."""
    images = torch.full((4, 20, 20, depth), background)
    item = {"images": images, "regions": torch.zeros(3, 20, 20, depth)}
    for seed in range(6):
        moved = augmentation((16, 16, depth), seed, ("affine", "elastic"), background=background)
        np.testing.assert_allclose(moved(dict(item))["images"], background, atol=1e-4)
    images[:, 5:15, 5:15] = torch.randn(4, 10, 10, depth)
    images[:, :3] = 0
    item["regions"][:, 8:12, 8:12] = 1
    outside = (images == background) | (images == 0)
    for seed in range(6):
        change = augmentation((20, 20, depth), seed, ("lesion", "intensity"), background=background)
        out = change(dict(item))["images"].as_tensor()
        assert torch.equal(out[outside], images[outside])
        assert out[~outside].abs().max() < 8


def test_intensities_change_in_the_recipes_units():
    """Where the brain has an SD of 0.17, as in 8 bits over 255, it changes by so much less."""
    scores = torch.randn(4, 16, 16, 16)
    ours, bytes_ = ({"images": scores}, {"images": 0.5 + 0.17 * scores})
    for item in (ours, bytes_):
        item["regions"] = torch.zeros(3, 16, 16, 16)
    for seed in range(6):
        one = augmentation((16, 16, 16), seed, ("intensity",))(dict(ours))["images"]
        chain = augmentation((16, 16, 16), seed, ("intensity",), scored=False)
        other = (chain(dict(bytes_))["images"] - 0.5) / 0.17
        np.testing.assert_allclose(other, one, atol=0.3)


def test_brightness_is_smooth_and_t1_follows_t1ce():
    """Neighbors move together; two channels share most of their change, the others none."""
    bright = RandBrightness((1, 3), gain=0.3, shift=0.5, field=1.0)
    empty = {"images": torch.zeros(4, 12, 12, 12)}
    changes = [bright.set_random_state(seed)(empty)["images"].numpy() for seed in range(30)]
    for change in changes:
        assert np.abs(np.diff(change, axis=1)).max() < max(np.ptp(change), 1e-6) / 2
    flat = np.concatenate([change.reshape(4, -1) for change in changes], axis=1)
    related = np.corrcoef(flat)
    assert related[1, 3] > 0.85
    assert abs(related[0, 1]) < 0.4
    assert abs(related[0, 2]) < 0.4


def test_gains_stretch_what_is_there():
    """Without offsets a channel is multiplied by one number between 0.7 and 1.3."""
    bright = RandBrightness((), gain=0.3, shift=0.0, field=0.0).set_random_state(2)
    out = bright({"images": torch.full((4, 3, 3, 3), 2.0)})["images"].reshape(4, -1).numpy()
    assert (out.max(axis=1) - out.min(axis=1)).max() < 1e-6
    assert (np.abs(out[:, 0] / 2 - 1) <= 0.3).all()
    assert len(set(out[:, 0])) > 1


def test_a_tumor_changes_its_brightness_and_the_rest_does_not():
    """Inside: one offset and one factor a channel; far from it and outside the brain: nothing."""
    images = torch.rand(4, 32, 32, 32) + 1
    images[:, :, :, 26:] = 0
    regions = torch.zeros(3, 32, 32, 32)
    regions[0, 3:19, 3:19, 3:19] = 1
    item = {"images": images, "regions": regions}
    lesion = RandLesionBrightness(1.0, 0.5, (0.6, 1.2))
    change = OnBrain(lesion, 0.0, scored=True).set_random_state(3)
    out = change(dict(item))["images"]
    assert torch.equal(out[:, 26:], images[:, 26:])
    assert not out[:, :, :, 26:].any()
    before, after = (each[:, 10:12, 10:12, 10:12].reshape(4, -1) for each in (images, out))
    for channel in range(4):
        factor, offset = np.polyfit(before[channel], after[channel], 1)
        assert 0.6 <= factor <= 1.2
        assert torch.allclose(after[channel], factor * before[channel] + offset, atol=1e-3)
    assert len({round(float(each), 4) for each in (after - before).mean(dim=1)}) == 4
    none = {**item, "regions": torch.zeros_like(regions)}
    assert torch.equal(change(none)["images"], images)


def test_one_modality_is_dropped():
    """Exactly one channel is 0, each of them some time; the rest is as it was."""
    images = torch.ones(4, 2, 2, 2)
    dropped = set()
    for seed in range(20):
        out = RandDropModality(1.0).set_random_state(seed)({"images": images})["images"]
        empty = (out == 0).all(dim=(1, 2, 3))
        assert empty.sum() == 1
        dropped.add(int(empty.int().argmax()))
    assert dropped == {0, 1, 2, 3}
    assert images.all()


@pytest.mark.parametrize("name", ["brain-1.5mm", "kermi2018", "dr_unet104"])
def test_a_dropped_modality_is_what_inference_makes_of_a_missing_one(name):
    """Modality dropout and `prepare` agree to the bit, whatever the recipe's background."""
    recipe, rng = RECIPES[name], np.random.default_rng(0)
    brain = np.zeros((18, 20, 16), bool)
    brain[2:16, 2:18, 2:14] = True
    images = {
        name: np.where(brain, rng.normal(500, 60, brain.shape), 0).astype(np.float32)
        for name in recipe.modalities
    }
    affine = np.diag([-1.0, -1, 1, 1])
    volume = prepare(recipe, images, affine).volume
    item = {"images": volume, "regions": np.zeros((3, *volume.shape[1:]), np.float32)}
    seen = set()
    for seed in range(12):
        augment = augmentation(
            volume.shape[1:], seed, (), drop_modality=1.0, background=recipe.background
        )
        dropped = np.asarray(augment(dict(item))["images"])
        (lost,) = [n for n in range(4) if not np.array_equal(dropped[n], volume[n])]
        missing = recipe.modalities[lost]
        rest = {key: image for key, image in images.items() if key != missing}
        np.testing.assert_array_equal(dropped, prepare(recipe, rest, affine, (missing,)).volume)
        seen.add(missing)
    assert seen == set(recipe.modalities)
