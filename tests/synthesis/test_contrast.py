"""How tissues look."""

import numpy as np
import pytest

from napari_brats.case import MODALITIES
from napari_brats.synthesis.anatomy import CLASSES
from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.contrast import CONTRASTS, COVER, draw_means, paint
from napari_brats.synthesis.tumor import PARTS, no_growth


def test_every_tissue_has_a_contrast_in_every_modality() -> None:
    """The table is complete; white matter is the unit and has no row."""
    assert tuple(CONTRASTS) == MODALITIES
    for row in CONTRASTS.values():
        assert {*row, "white"} == {*CLASSES, *PARTS}
        assert all(0 < low <= high for low, high in row.values())
    assert tuple(COVER) == PARTS


@pytest.mark.parametrize(
    ("modality", "darker", "brighter"),
    [
        ("t1", "ventricle", "cortex"),
        ("t1ce", "necrosis", "enhancing"),
        ("t2", "cortex", "ventricle"),
        ("flair", "ventricle", "edema"),
    ],
)
def test_order_of_brightness(modality: str, darker: str, brighter: str) -> None:
    """What makes a modality is the same in each draw."""
    for seed in range(50):
        means = draw_means(np.random.default_rng(seed), modality)
        assert means[darker] < means[brighter]


def test_edema_is_bright_in_flair(brain: Brain) -> None:
    """A painted tumor shows where its share is 1."""
    growth = no_growth(brain)
    spot = (slice(24, 28), slice(18, 22), slice(17, 21))
    growth.parts[(PARTS.index("edema"), *spot)] = 1
    rng = np.random.default_rng
    with_edema = paint(rng(3), "flair", brain, growth, {})
    without = paint(rng(3), "flair", brain, no_growth(brain), {})
    assert with_edema[spot].mean() > 1.15 * without[spot].mean()
    changed = with_edema != without
    changed[spot] = False
    assert not changed.any()
