"""What the tests of the journal share."""

import numpy as np
import pytest

from napari_brats.editing.journal import Subject

SHAPE = (5, 7, 6)


@pytest.fixture
def subject(tmp_path):
    """Return whose mask is edited: a patient with a saved mask."""
    return Subject(
        case_id="BraTS2021_00000",
        title="net",
        image=str(tmp_path / "BraTS2021_00000_t1.nii.gz"),
        mask=str(tmp_path / "BraTS2021_00000_net_mask.nii.gz"),
        directions="IPL",
        affine=tuple(np.eye(4).ravel()),
    )


@pytest.fixture
def base():
    """Return a small mask with some tissue."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:4, 2:5, 2:5] = 2
    return mask
