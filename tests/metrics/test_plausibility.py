"""What a mask says against itself: hand-made masks of each kind."""

import numpy as np
import pytest

from napari_brats.metrics.plausibility import oddities, surrounding_entropy
from napari_brats.regions import Tissue

ONE = np.ones(3)


def test_empty() -> None:
    """No tumor is an oddity of its own; a cavity is no tumor."""
    mask = np.zeros((8, 8, 8), np.uint8)
    mask[2:4, 2:4, 2:4] = Tissue.CAVITY
    assert oddities(mask, ONE).empty


def test_bare_enhancement() -> None:
    """Of two ET parts of 8 and 24 voxels the larger touches edema, at a corner."""
    mask = np.zeros((20, 20, 20), np.uint8)
    mask[2:4, 2:4, 2:4] = Tissue.ENHANCING
    mask[10:12, 10:12, 10:16] = Tissue.ENHANCING
    mask[12, 12, 16] = Tissue.EDEMA
    found = oddities(mask, ONE)
    assert found.bare_share == pytest.approx(8 / 32)
    assert not found.empty
    mask[4, 4, 4] = Tissue.EDEMA
    assert oddities(mask, ONE).bare_share == 0


@pytest.mark.parametrize(("gap", "far"), [(39, 0), (40, 1)])
def test_far_foci_in_mm(gap: int, far: int) -> None:
    """A focus is far from 40 mm on, voxel to voxel, whatever the spacing; specks never are."""
    spacing = np.array([2.0, 1.0, 0.5])
    mask = np.zeros((70, 10, 10), np.uint8)
    mask[:4] = Tissue.EDEMA
    mask[60, 5, 5] = Tissue.EDEMA
    start = 3 + gap // 2 + gap % 2 * 0
    mask[start : start + 2] = Tissue.EDEMA
    found = oddities(mask, spacing)
    assert (found.far_foci, found.specks) == (far, 1)


def test_entropy() -> None:
    """Certain: 0. A tumor in 10 mm of p = 1/2: 1 bit but for the tumor itself. None: None."""
    sure = np.zeros((40, 40, 40), np.float32)
    assert surrounding_entropy(sure, ONE) is None
    sure[20, 20, 20] = 1
    assert surrounding_entropy(sure, ONE) == 0
    unsure = np.full((40, 40, 40), 0.4999, np.float32)
    unsure[20, 20, 20] = 1
    assert surrounding_entropy(unsure, ONE) == pytest.approx(1, abs=1e-3)
    # Beyond 10 mm nothing counts.
    far = sure.copy()
    far[20, 20, 31:] = 0.49
    assert surrounding_entropy(far, ONE) == 0
    assert surrounding_entropy(far, ONE / 2) > 0
