import numpy as np
import torch

from napari_brats.training.augment import RandDropModality, RandLocalShift, augmentation
from napari_brats.training.stream import loose_crop


def test_augmentation_keeps_codes_and_background(sample):
    """Masks stay whole numbers of the same set; voxels outside the brain stay 0."""
    item = loose_crop(sample, (16, 16, 16), np.random.default_rng(1))
    for seed in range(4):
        out = augmentation((16, 16, 16), seed)(dict(item))
        assert tuple(out["images"].shape) == (4, 16, 16, 16)
        assert set(np.unique(out["tissues"])) <= {0, 1, 2, 3}
    empty = {name: np.zeros_like(value) for name, value in item.items()}
    assert not np.any(np.asarray(augmentation((16, 16, 16), 0)(empty)["images"]))


def test_a_local_shift_is_smooth_and_differs_between_channels():
    """Neighbors move together, far corners apart; each channel has its own field."""
    shift = RandLocalShift(knots=3, std=2.0, prob=1.0).set_random_state(1)
    field = shift(torch.zeros(2, 24, 24, 24)).numpy()
    assert np.abs(np.diff(field, axis=1)).max() < np.ptp(field) / 8
    assert np.corrcoef(field[0].ravel(), field[1].ravel())[0, 1] < 0.9
    nothing = RandLocalShift(knots=3, std=2.0, prob=0.0).set_random_state(1)
    assert not nothing(torch.zeros(2, 8, 8, 8)).any()


def test_one_modality_is_dropped():
    """Exactly one channel is 0, each of them some time; the rest is as it was."""
    images = torch.ones(4, 2, 2, 2)
    dropped = set()
    for seed in range(20):
        out = RandDropModality(1.0).set_random_state(seed)(images)
        empty = (out == 0).all(dim=(1, 2, 3))
        assert empty.sum() == 1
        dropped.add(int(empty.int().argmax()))
    assert dropped == {0, 1, 2, 3}
    assert images.all()
