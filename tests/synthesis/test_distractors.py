"""What looks like disease and is none."""

import numpy as np
import pytest

from napari_brats.case import MODALITIES
from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.distractors import DISTRACTORS, draw_distractors


@pytest.mark.parametrize("name", DISTRACTORS)
def test_masks_are_soft_and_in_the_brain(brain: Brain, name: str) -> None:
    """0 to 1, nothing in the background, something somewhere."""
    row = DISTRACTORS[name]
    mask = row.draw(np.random.default_rng(0), brain)
    assert mask.shape == brain.shape
    assert mask.min() >= 0
    assert 0.1 < mask.max() <= 1.001
    assert not mask[~brain.mask].any()
    assert set(row.brightness) == set(MODALITIES)


def test_some_brains_have_none_and_some_have_all(brain: Brain) -> None:
    """Each distractor appears by its frequency."""
    found = [len(draw_distractors(np.random.default_rng(seed), brain)) for seed in range(40)]
    assert min(found) == 0
    assert max(found) == len(DISTRACTORS)
