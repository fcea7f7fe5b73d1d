"""Dimensions and grids of volumes."""

import nibabel as nib
import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.volumes import Volume, grid_difference, read_volume, require_same_grid
from napari_brats.volumes import volume as volume_module

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


def volume(name, shape=(240, 240, 155), change=None):
    affine = AFFINE.copy()
    if change:
        (row, column), value = change
        affine[row, column] = value
    return Volume(np.broadcast_to(np.float32(0), shape), affine, name)


def test_equal_grids():
    """No difference, no words."""
    assert grid_difference(volume("a"), volume("b")) is None
    require_same_grid(volume("a"), volume("b"))


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        (((0, 3), 0.01), True),
        (((0, 3), 0.1), False),
        (((1, 1), -1.0001), True),
        (((1, 1), -1.001), False),
        (((0, 1), 0.01), False),
    ],
)
def test_tolerance_is_counted_in_millimeters_at_the_corners(change, accepted):
    """Rounded headers of other tools pass; a grid that is off by a tenth of a voxel does not."""
    assert (grid_difference(volume("a"), volume("b", change=change)) is None) is accepted


def test_the_number_that_differs_is_named():
    """Both files, both values and the place in the affine stand in the message."""
    message = grid_difference(volume("a.nii"), volume("b.nii", change=((1, 3), 239.0)))
    assert message == "'a.nii' has 0 at affine[1, 3] but 'b.nii' has 239"
    with pytest.raises(CaseError, match=r"affine\[1, 3\].*; all volumes .*; resample"):
        require_same_grid(volume("a"), volume("b", change=((1, 3), 239.0)))


def test_the_sizes_that_differ_are_named():
    """Shapes are compared first."""
    assert grid_difference(volume("a"), volume("b", (240, 240, 154))) == (
        "'a' has (240, 240, 155) voxels but 'b' has (240, 240, 154)"
    )


@pytest.mark.parametrize(
    ("shape", "ndim", "words"),
    [
        ((4, 5, 6, 2), 3, "is 4D with shape (4, 5, 6, 2) where 3D was expected"),
        ((4, 5), 3, "is 2D with shape (4, 5) where 3D was expected"),
        ((4, 5, 6), 4, "is 3D with shape (4, 5, 6) where 4D was expected"),
    ],
)
def test_other_dimensions(shape, ndim, words, tmp_path):
    """4D where 3D is expected, and the other ways round."""
    nib.save(nib.Nifti1Image(np.ones(shape, np.int16), AFFINE), tmp_path / "x.nii")
    with pytest.raises(CaseError) as caught:
        read_volume(tmp_path / "x.nii", ndim=ndim)
    assert words in str(caught.value)


def test_no_memory(tmp_path, monkeypatch):
    """A volume that does not fit is an error that says so."""

    def fail(path, dtype):
        raise MemoryError

    monkeypatch.setattr(volume_module, "read_nifti", fail)
    with pytest.raises(CaseError, match="does not fit into the memory"):
        read_volume(tmp_path / "x.nii")
