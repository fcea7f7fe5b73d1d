"""What the tests of training share."""

import numpy as np
import pytest

from napari_brats.regions import REGIONS, region_mask
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import WHOLE, Sample


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
    regions = np.stack([region_mask(tissues, name) for name in REGIONS])
    return Sample(images, regions.astype(np.uint8) * WHOLE)


@pytest.fixture
def sample_path(sample, tmp_path):
    path = tmp_path / "sample.npy"
    sample.save(path)
    return path


@pytest.fixture
def tiny(tmp_path, make_patient_folder):
    """A configuration that trains in seconds on one tiny patient."""
    return TrainConfig(
        output=tmp_path / "run",
        data=(make_patient_folder(tmp_path, shape=(34, 36, 32)),),
        holdout=0,
        steps=3,
        batch=2,
        crop=(16, 16, 16),
        workers=0,
        fuse=False,
        mixed_precision=False,
        device="cpu",
    )
