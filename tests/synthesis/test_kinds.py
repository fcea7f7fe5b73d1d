"""The table of tumors and what is drawn from it."""

import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.synthesis.kinds import KINDS, draw_kind, draw_lesion, kind_of


def test_frequencies_add_up_to_one() -> None:
    """The frequencies are shares."""
    assert sum(row.frequency for row in KINDS.values()) == pytest.approx(1)


def test_unknown_kind_lists_the_choices() -> None:
    """Found and expected are named."""
    with pytest.raises(CaseError, match="'blob'; choose one of ring"):
        kind_of("blob")


def test_every_kind_is_drawn() -> None:
    """No row is out of reach."""
    rng = np.random.default_rng(0)
    assert {draw_kind(rng) for _ in range(500)} == set(KINDS)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "none"])
def test_lesions_keep_to_their_row(kind: str) -> None:
    """Drawn lengths lie in the row's ranges, and the axes keep the volume."""
    rng = np.random.default_rng(1)
    row = KINDS[kind]
    for _ in range(50):
        lesion = draw_lesion(rng, row, (1.0, 2.0, 3.0))
        assert row.core_mm[0] <= lesion.radius_mm <= row.core_mm[1]
        assert lesion.edema_mm == 0 or row.edema_mm[0] <= lesion.edema_mm <= row.edema_mm[1]
        assert np.prod(lesion.axes) == pytest.approx(1)
        assert (lesion.rim_mm > 0) == (row.rim_mm is not None)


def test_later_foci_are_small() -> None:
    """Satellites have at most 10 mm radius."""
    rng = np.random.default_rng(2)
    lesions = [draw_lesion(rng, KINDS["ring"], (0, 0, 0), later=True) for _ in range(20)]
    assert max(lesion.radius_mm for lesion in lesions) <= 10
