"""Where tumors grow and where they do not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.regions import REGIONS, Tissue, region_mask
from napari_brats.synthesis.brain import Brain
from napari_brats.synthesis.kinds import Lesion
from napari_brats.synthesis.tumor import PARTS, Growth, grow, no_growth

RING = Lesion(
    (24.0, 20.0, 19.0), radius_mm=22.0, rim_mm=6.0, gaps=0.05, edema_mm=20.0, roughness=0.15
)


def grown(brain: Brain, lesion: Lesion, seed: int = 0) -> Growth:
    growth = no_growth(brain)
    grow(np.random.default_rng(seed), lesion, brain, growth)
    return growth


def present(growth: Growth) -> set[int]:
    return set(np.unique(growth.tissues).tolist()) - {0}


def test_ring_has_all_tissues_in_order(brain: Brain) -> None:
    """Necrosis lies inside the enhancing rim, edema outside: by distance from the center."""
    tissues = grown(brain, RING).tissues
    offsets = (np.indices(tissues.shape).T - RING.center).T
    radius = np.sqrt((offsets**2).sum(0))
    necrosis, edema, rim = (radius[tissues == tissue].mean() for tissue in (1, 2, 3))
    assert necrosis < rim < edema


def test_regions_are_nested_and_inside_the_brain(brain: Brain) -> None:
    """ET in TC in WT in the brain."""
    tissues = grown(brain, RING).tissues
    whole, core, enhancing = (region_mask(tissues, name) for name in REGIONS)
    assert (enhancing <= core).all()
    assert (core <= whole).all()
    assert (whole <= brain.mask).all()


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    x=st.integers(8, 28),
    y=st.integers(8, 32),
    radius=st.floats(3, 35),
    edema=st.floats(0, 30),
)
def test_ventricles_and_background_stay_free(
    brain: Brain, seed: int, x: int, y: int, radius: float, edema: float
) -> None:
    """No edema in a ventricle and nothing outside the brain, wherever a tumor sits."""
    lesion = replace(RING, center=(x, y, 18.0), radius_mm=radius, edema_mm=edema)
    growth = grown(brain, lesion, seed)
    ventricle = brain.share("ventricle") > 0.5
    assert not (growth.tissues[ventricle] == Tissue.EDEMA).any()
    assert not growth.tissues[~brain.mask].any()
    assert not growth.parts[:, ~brain.mask].any()
    assert growth.parts.min() >= 0
    assert growth.parts.max() <= 1


def test_edema_prefers_white_matter(brain: Brain) -> None:
    """Beside the core, white matter swells farther than cortex does."""
    tissues = grown(brain, replace(RING, radius_mm=12.0, edema_mm=25.0)).tissues
    edema = tissues == Tissue.EDEMA
    white, cortex = (brain.share(name) > 0.5 for name in ("white", "cortex"))
    reach = np.sqrt((((np.indices(edema.shape).T - RING.center) * 5) ** 2).sum(-1)).T < 40
    assert edema[white & reach].mean() > edema[cortex & reach].mean()


def test_cores_stop_at_the_fissure(brain: Brain) -> None:
    """With a wall of CSF in the midline, a core beside it stays on its side."""
    fractions = brain.fractions.copy()
    middle = brain.shape[0] // 2
    fractions[:, middle - 1 : middle + 1] = 0
    fractions[0, middle - 1 : middle + 1] = brain.mask[middle - 1 : middle + 1]
    walled = Brain(brain.mask, fractions, brain.spacing_mm)
    lesion = replace(RING, center=(middle + 4.0, 20.0, 24.0), radius_mm=32.0, edema_mm=0.0)
    across = grown(walled, lesion).tissues[: middle - 1] > 0
    free = grown(brain, lesion).tissues[: middle - 1] > 0
    assert not across.any()
    assert free.any()


@pytest.mark.parametrize(
    ("change", "tissues"),
    [
        ({}, {1, 2, 3}),
        ({"rim_mm": 0.0}, {1, 2}),
        ({"rim_mm": 0.0, "edema_mm": 0.0}, {1}),
        ({"rim_mm": 0.0, "spots": 0.15, "edema_mm": 0.0}, {1, 3}),
        ({"core": False}, {2}),
    ],
)
def test_kinds_have_their_tissues(
    brain: Brain, change: dict[str, float], tissues: set[int]
) -> None:
    """Ring, low-grade wet, dry and spotted, edema only."""
    assert present(grown(brain, replace(RING, **change))) == tissues


def test_solid_tumors_enhance_nearly_everywhere(brain: Brain) -> None:
    """With a rim thicker than the core, little is left to die."""
    tissues = grown(brain, replace(RING, rim_mm=60.0, gaps=0.02)).tissues
    core = region_mask(tissues, "TC")
    assert (tissues[core] == Tissue.ENHANCING).mean() > 0.85


def test_enhancing_wins_where_foci_overlap(brain: Brain) -> None:
    """A second focus never erases the first one's enhancing tumor."""
    growth = grown(brain, RING)
    before = growth.tissues == Tissue.ENHANCING
    grow(np.random.default_rng(9), replace(RING, center=(21.0, 20.0, 19.0)), brain, growth)
    assert (growth.tissues[before] == Tissue.ENHANCING).all()


def test_center_outside_the_brain_grows_nothing(brain: Brain) -> None:
    """A focus in the background leaves no trace."""
    growth = grown(brain, replace(RING, center=(0.0, 0.0, 0.0), radius_mm=8.0))
    assert not growth.tissues.any()


def test_soft_shares_agree_with_the_codes(brain: Brain) -> None:
    """Where a voxel counts as enhancing, its share of enhancing tumor is the largest."""
    growth = grown(brain, RING)
    enhancing = growth.tissues == Tissue.ENHANCING
    index = PARTS.index("enhancing")
    assert (growth.parts[index][enhancing] >= 0.24).all()
    assert growth.parts[index][enhancing].mean() > 0.6
