"""Colors: one for each tissue, and a default that any kind of color vision tells apart."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.regions import DEFAULT_PALETTE, PALETTES, REGIONS, TISSUE_COLORS, Tissue

# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1.0, linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
SEEN_APART = 10.0
"""CIE 1976 color difference; 2.3 is just noticeable."""


def rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255


def as_seen(color: str, vision: str) -> NDArray[np.float64]:
    """Return CIELAB of a color after a simulation of color blindness."""
    from skimage.color import rgb2lab

    plain = rgb(color)
    linear = np.where(plain <= 0.04045, plain / 12.92, ((plain + 0.055) / 1.055) ** 2.4)
    seen = np.clip(VISIONS[vision] @ linear, 0, 1)
    back = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return rgb2lab(back)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_default_colors_differ_for_every_eye(vision: str) -> None:
    """Tissues among each other, and the three kinds of difference."""
    palette = PALETTES[DEFAULT_PALETTE]
    groups = [tuple(palette.tissues.values()), (palette.missed, palette.false, palette.mistaken)]
    for group in groups:
        for first, second in combinations(group, 2):
            apart = np.linalg.norm(as_seen(first, vision) - as_seen(second, vision))
            assert apart > SEEN_APART, (first, second)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=lambda row: row.name)
def test_every_tissue_has_a_color_of_its_own(palette) -> None:
    """All but the background; the colors of differences are no tissue's beside them."""
    assert set(palette.tissues) == set(Tissue) - {Tissue.BACKGROUND}
    assert len(set(palette.tissues.values())) == len(palette.tissues)
    shown = {palette.tissues[tissue] for tissue in (1, 2, 3)}
    assert not shown & {palette.missed, palette.false, palette.mistaken}
    assert len({palette.region(name) for name in REGIONS}) == len(REGIONS)


def test_napari_and_figures_share_their_colors() -> None:
    """What napari's layers use is the default palette itself."""
    assert TISSUE_COLORS is PALETTES[DEFAULT_PALETTE].tissues
