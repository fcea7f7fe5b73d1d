"""NIfTI: the same numbers as nibabel, and headers that make no sense."""

import nibabel as nib
import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.volumes import read_volume
from napari_brats.volumes.nifti import encode_nifti, read_header

AFFINE = np.array([[-1, 0.1, 0, 3], [0, -2, 0.2, 239], [0.1, 0, 3, -7], [0, 0, 0, 1]], float)
SHAPE = (4, 5, 6)


def save(path, voxels, kind=nib.Nifti1Image, **fields):
    image = kind(voxels, AFFINE)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def with_header(path, **fields):
    """Write a plain .nii and change fields of its header as no sane program would."""
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.int16)
    header.set_sform(AFFINE, code=1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(header.binaryblock + b"\0" * (4 + 2 * 120))
    return path


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "u2", "i4", "f4", ">f4", "f8"])
def test_same_numbers_as_nibabel(dtype, kind, extension, tmp_path):
    """Every plain type, both byte orders and both versions are read as nibabel reads them."""
    rng = np.random.default_rng(0)
    path = save(tmp_path / f"x{extension}", rng.integers(0, 200, SHAPE).astype(dtype), kind)
    volume = read_volume(path)
    reference = nib.load(path)
    np.testing.assert_array_equal(volume.data, reference.get_fdata(dtype=np.float32))
    np.testing.assert_array_equal(volume.affine, reference.affine)
    assert volume.data.dtype == np.float32
    assert volume.data.flags.f_contiguous
    assert read_volume(path, dtype=None).data.dtype == np.dtype(dtype).newbyteorder("=")


def test_scaled_numbers(tmp_path):
    """``scl_slope`` and ``scl_inter`` are applied."""
    image = nib.Nifti1Image(np.arange(120, dtype=np.int16).reshape(SHAPE), AFFINE)
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "x.nii.gz")
    expected = nib.load(tmp_path / "x.nii.gz").get_fdata()
    np.testing.assert_allclose(read_volume(tmp_path / "x.nii.gz").data, expected, rtol=1e-6)
    stored = read_volume(tmp_path / "x.nii.gz", dtype=None).data
    np.testing.assert_array_equal(stored, expected)
    assert stored.dtype == np.float64


def test_compression_is_told_by_content(tmp_path):
    """A .nii that is gzip inside, and the other way round, are read all the same."""
    save(tmp_path / "x.nii.gz", np.ones(SHAPE, np.int16))
    (tmp_path / "y.nii").write_bytes((tmp_path / "x.nii.gz").read_bytes())
    assert read_volume(tmp_path / "y.nii").data.sum() == 120


def test_extensions_do_not_shift_the_voxels(tmp_path):
    """Header extensions (AFNI writes them into BraTS masks) are stepped over."""
    image = nib.Nifti1Image(np.arange(120, dtype=np.int16).reshape(SHAPE), AFFINE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    nib.save(image, tmp_path / "x.nii.gz")
    volume = read_volume(tmp_path / "x.nii.gz")
    np.testing.assert_array_equal(volume.data, image.get_fdata())


def test_axes_of_length_one_at_the_end(tmp_path):
    """(X, Y, Z, 1) is a 3D volume."""
    path = save(tmp_path / "x.nii.gz", np.ones((*SHAPE, 1), np.int16))
    assert read_volume(path).data.shape == SHAPE


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"dim": [0, 4, 5, 6, 1, 1, 1, 1]}, "dimensions"),
        ({"dim": [9, 4, 5, 6, 1, 1, 1, 1]}, "dimensions"),
        ({"dim": [3, 4, -5, 6, 1, 1, 1, 1]}, "dimensions"),
        ({"datatype": 128}, "not plain numbers"),
        ({"datatype": 32}, "not plain numbers"),
        ({"datatype": 7777}, "its data type 7777 is unknown"),
        ({"magic": b"ni1"}, "magic"),
        ({"vox_offset": 0}, "its voxels start at byte 0"),
        ({"vox_offset": np.nan}, "its voxels start at byte nan"),
        ({"vox_offset": np.inf}, "its voxels start at byte inf"),
        ({"srow_x": [0, 0, 0, 0]}, "cannot be inverted"),
        ({"srow_y": [np.nan, 0, 0, 0]}, "cannot be inverted"),
        ({"scl_slope": 1, "scl_inter": np.inf}, "makes no sense"),
    ],
)
def test_headers_that_make_no_sense(fields, found, tmp_path):
    """A broken field is one clear error, never a crash or a wrong volume."""
    with pytest.raises(CaseError, match=found) as caught:
        read_volume(with_header(tmp_path / "x.nii", **fields))
    assert "x.nii" in str(caught.value)


def test_sane_header_of_these_tests(tmp_path):
    """Without a broken field the same file is read."""
    assert read_volume(with_header(tmp_path / "x.nii")).data.shape == SHAPE


def test_same_voxels_give_the_same_bytes():
    """No date and no name enters the file, so that samples can be regenerated."""
    voxels = np.arange(120, dtype=np.int16).reshape(SHAPE)
    first = encode_nifti(voxels, AFFINE, None, level=6)
    assert first == encode_nifti(voxels.copy(), AFFINE, None, level=6)


def test_header_alone(tmp_path):
    """The header is read without the voxels, even where those are cut off."""
    path = save(tmp_path / "x.nii", np.ones((40, 40, 40), np.int16))
    path.write_bytes(path.read_bytes()[:2000])
    assert read_header(path).get_data_shape() == (40, 40, 40)
