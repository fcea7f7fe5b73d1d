"""Voxel sizes and volumes out of an affine."""

import numpy as np
import pytest

from napari_brats.volumes import spacing_of, voxel_ml

OBLIQUE = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -7], [0, 0, 1, 9], [0, 0, 0, 1]])


def test_unit_voxels():
    """A millimeter cubed is a thousandth of a milliliter."""
    assert spacing_of(np.eye(4)).tolist() == [1, 1, 1]
    assert voxel_ml(np.eye(4)) == 0.001


def test_flipped_and_oblique_axes():
    """Neither the sign nor the direction of an axis changes sizes or volumes."""
    affine = OBLIQUE @ np.diag([-1, 2, 5, 1])
    assert spacing_of(affine) == pytest.approx([1, 2, 5])
    assert voxel_ml(affine) == pytest.approx(0.01)
