"""What a scanner adds."""

import numpy as np
import pytest

from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.scanner import scan


@pytest.mark.parametrize("seed", range(5))
def test_background_is_zero_and_brain_is_not(brain: Brain, seed: int) -> None:
    """Exactly 0 outside, above 0 inside, in a scanner's range."""
    image = scan(np.random.default_rng(seed), brain.mask.astype(float), brain)
    assert image.dtype == np.float32
    assert not image[~brain.mask].any()
    assert image[brain.mask].min() > 0
    assert 100 < np.median(image[brain.mask]) < 1200
