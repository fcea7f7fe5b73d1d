"""File names of volumes."""

import pytest

from napari_brats.naming import split_extension


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.nii.gz", ("a", ".nii.gz")),
        ("a.nii", ("a", ".nii")),
        ("A.NII.GZ", ("A", ".nii.gz")),
        ("VSD.Brain.XX.O.MR_T1.7.mha", ("VSD.Brain.XX.O.MR_T1.7", ".mha")),
        ("a.gz", None),
        (".nii.gz", None),
        ("a.txt", None),
        ("", None),
    ],
)
def test_split_extension(name, expected):
    """Both parts of ``.nii.gz`` are the extension; other files are no volumes."""
    assert split_extension(name) == expected
