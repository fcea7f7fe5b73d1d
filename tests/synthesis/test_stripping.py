"""Closing and fissures."""

import numpy as np

from napari_brats.synthesis.stripping import closed_brain, fissures


def test_closing_fills_narrow_gaps_and_drops_islands() -> None:
    """A sulcus narrower than twice the closing is filled; a far island does not count."""
    solid = np.zeros((40, 30, 30), bool)
    solid[5:25, 5:25, 5:25] = True
    solid[12:16, 5:25, 15:25] = False
    solid[36:38, 2:4, 2:4] = True
    closed = closed_brain(solid, (1.0, 1.0, 1.0))
    assert closed[13, 15, 20]
    assert not closed[36, 3, 3]
    assert not closed[13, 15, 29]


def test_margin_grows_the_brain() -> None:
    """A margin of 1 mm adds one voxel of 1 mm on each side of a convex brain."""
    solid = np.zeros((20, 20, 20), bool)
    solid[5:15, 5:15, 5:15] = True
    closed = closed_brain(solid, (1.0, 1.0, 1.0), closing_mm=4.0, margin_mm=1.0)
    assert np.flatnonzero(closed[:, 10, 10]).tolist() == list(range(4, 16))


def test_single_sheet_has_no_fissure() -> None:
    """A sheet that touches none has no border."""
    assert not fissures([np.ones((3, 3, 3), bool), np.zeros((3, 3, 3), bool)]).any()
