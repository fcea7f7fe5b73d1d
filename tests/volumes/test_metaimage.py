"""MetaImage: the same voxels in the same place as SimpleITK."""

import zlib

import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.volumes import read_volume, write_mask

sitk = pytest.importorskip("SimpleITK", reason="reads the files to compare with")

SHAPE = (4, 5, 6)
DIRECTION = (0.0, -0.8, 0.6, 1.0, 0.0, 0.0, 0.0, 0.6, 0.8)
HEADER = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
DimSize = 4 5 6
ElementType = MET_SHORT
ElementDataFile = LOCAL
"""


def sitk_image(voxels):
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetDirection(DIRECTION)
    image.SetOrigin((3.5, -239.0, 7.25))
    image.SetSpacing((0.9, 1.1, 3.0))
    return image


def lps_point(affine, index):
    return (affine @ [*index, 1])[:3] * [-1, -1, 1]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_same_voxels_as_simpleitk(dtype, compressed, tmp_path):
    """Voxels, types and oblique positions are those that ITK wrote."""
    voxels = np.random.default_rng(0).integers(0, 100, SHAPE).astype(dtype)
    image = sitk_image(voxels)
    sitk.WriteImage(image, str(tmp_path / "x.mha"), compressed)
    volume = read_volume(tmp_path / "x.mha", dtype=None)
    np.testing.assert_array_equal(volume.data, voxels)
    assert volume.data.dtype == voxels.dtype
    for index in [(0, 0, 0), (3, 0, 0), (0, 4, 0), (1, 2, 5)]:
        expected = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(lps_point(volume.affine, index), expected, atol=1e-9)


def test_simpleitk_reads_what_we_write(tmp_path):
    """A mask written here lies in ITK where the source does."""
    mask = np.random.default_rng(1).integers(0, 5, SHAPE).astype(np.uint8)
    source = sitk_image(mask)
    sitk.WriteImage(source, str(tmp_path / "x.mha"))
    affine = read_volume(tmp_path / "x.mha").affine
    write_mask(tmp_path / "y.mha", mask, affine, tmp_path / "x.mha")
    written = sitk.ReadImage(str(tmp_path / "y.mha"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written).T, mask)
    np.testing.assert_allclose(written.GetDirection(), source.GetDirection(), atol=1e-12)
    np.testing.assert_allclose(written.GetOrigin(), source.GetOrigin(), atol=1e-9)
    np.testing.assert_allclose(written.GetSpacing(), source.GetSpacing(), atol=1e-12)


def test_big_endian(tmp_path):
    """Old scanners' byte order is honored."""
    text = HEADER.replace("MSB = False", "MSB = True")
    voxels = np.arange(120, dtype=">i2")
    (tmp_path / "x.mha").write_bytes(text.encode() + voxels.tobytes())
    expected = voxels.reshape(SHAPE, order="F")
    np.testing.assert_array_equal(read_volume(tmp_path / "x.mha").data, expected)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("NDims = 3", "NDims = 4", "it is 4D"),
        ("DimSize = 4 5 6", "DimSize = 4 5", "not 3D"),
        ("DimSize = 4 5 6", "DimSize = 4 0 6", "not 3D"),
        ("DimSize = 4 5 6", "DimSize = a b c", "is missing or unknown"),
        ("DimSize = 4 5 6", "Comment = none", "'DimSize' is missing or unknown"),
        ("MET_SHORT", "MET_STRING", "'MET_STRING' is missing or unknown"),
        ("LOCAL", "other.raw", "its voxels lie in another file, 'other.raw'"),
        ("NDims = 3", "NDims = 3\nElementNumberOfChannels = 3", "not plain numbers"),
        ("BinaryData = True", "BinaryData = False", "written as text"),
        ("NDims = 3", "NDims = 3\nElementSpacing = 1 0 1", "cannot be inverted"),
        ("NDims = 3", "NDims = 3\nOffset = nan 0 0", "cannot be inverted"),
        ("DimSize = 4 5 6", "DimSize = 32000 32000 32000", "claims 65536000000000 bytes"),
        ("ObjectType = Image", "a text", "is not a MetaImage file"),
    ],
)
def test_headers_that_cannot_be_used(old, new, found, tmp_path):
    """A broken field is one clear error, before anything is allocated."""
    (tmp_path / "x.mha").write_bytes(HEADER.replace(old, new).encode() + b"\0" * 240)
    with pytest.raises(CaseError, match=found):
        read_volume(tmp_path / "x.mha")


def test_damaged_voxels(tmp_path):
    """A cut or a flipped bit in the compressed voxels is found."""
    content = zlib.compress(np.arange(120, dtype="<i2").tobytes())
    text = HEADER.replace("NDims = 3", "NDims = 3\nCompressedData = True").encode()
    path = tmp_path / "x.mha"
    path.write_bytes(text + content)
    assert read_volume(path).data.shape == SHAPE
    path.write_bytes(text + content[:-5])
    with pytest.raises(CaseError, match="claims 240 bytes"):
        read_volume(path)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    path.write_bytes(text + bytes(flipped))
    with pytest.raises(CaseError, match=r"is damaged|claims 240 bytes"):
        read_volume(path)
