"""What is written lies where the source lies, in all orientations."""

import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_brats.errors import OutputError
from napari_brats.volumes import (
    read_volume,
    write_image,
    write_mask,
    write_probabilities,
)

SHAPE = (3, 4, 5)
MASK = np.random.default_rng(0).integers(0, 5, SHAPE).astype(np.uint8)
GEOMETRY = (
    "sform_code",
    "qform_code",
    "srow_x",
    "srow_y",
    "srow_z",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "pixdim",
    "dim",
    "xyzt_units",
)


def orientations():
    """Return all 48 affines that only permute and flip axes."""
    affines = []
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product([1, -1], repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = np.eye(3)[:, axes] * signs
            affine[:3, 3] = 10, -20, 30
            affines.append(affine)
    return affines


def save_source(path, affine, sform=1, qform=1, kind=nib.Nifti1Image):
    image = kind(np.ones(SHAPE, np.int16), affine)
    image.set_sform(affine, code=sform)
    image.set_qform(affine, code=qform)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def assert_on_sources_grid(mask_path, source_path):
    """Compare by nibabel alone: codes, dtype, scaling and every number of the geometry."""
    mask, source = nib.load(mask_path), nib.load(source_path)
    np.testing.assert_array_equal(np.asanyarray(mask.dataobj), MASK)
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(mask.affine, source.affine)
    for field in GEOMETRY:
        np.testing.assert_array_equal(mask.header[field], source.header[field], err_msg=field)
    with nib.openers.Opener(str(mask_path)) as file:
        raw = nib.Nifti1Header.from_fileobj(file, check=False)
    assert (raw["scl_slope"], raw["scl_inter"]) == (1, 0)


def test_all_48_orientations(tmp_path):
    """A mask has its source's grid and header in each of the 48 axis orientations."""
    affines = orientations()
    assert len({affine.tobytes() for affine in affines}) == 48
    for index, affine in enumerate(affines):
        source = save_source(tmp_path / f"{index}.nii", affine)
        path = tmp_path / f"{index}_mask.nii.gz"
        write_mask(path, MASK, read_volume(source).affine, source)
        assert_on_sources_grid(path, source)


@settings(max_examples=40)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 6)] * 3),
    origin=st.tuples(*[st.floats(-300, 300)] * 3),
    codes=st.sampled_from([(1, 1), (1, 2), (4, 0), (0, 1), (2, 3)]),
    flipped=st.booleans(),
)
def test_oblique_affines(tmp_path_factory, angles, spacing, origin, codes, flipped):
    """Any rotation, voxel size, offset and pair of codes comes back, number by number."""
    folder = tmp_path_factory.mktemp("oblique")
    affine = np.eye(4)
    rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    affine[:3, :3] = rotation * spacing * [1, 1, -1 if flipped else 1]
    affine[:3, 3] = origin
    source = save_source(folder / "x.nii", affine, *codes)
    volume = read_volume(source)
    write_mask(folder / "mask.nii.gz", MASK, volume.affine, source)
    assert_on_sources_grid(folder / "mask.nii.gz", source)
    write_mask(folder / "mask.mha", MASK, volume.affine, source)
    written = read_volume(folder / "mask.mha", dtype=None)
    np.testing.assert_array_equal(written.data, MASK)
    np.testing.assert_allclose(written.affine, volume.affine, atol=1e-9)


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_source_without_codes(extension, tmp_path):
    """A source with neither sform nor qform gives a mask without them, on the same voxels."""
    source = save_source(tmp_path / "x.nii", np.diag([-1.0, 1, 1, 1]), 0, 0)
    volume = read_volume(source)
    write_mask(tmp_path / f"m{extension}", MASK, volume.affine, source)
    assert_on_sources_grid(tmp_path / f"m{extension}", source)


def test_nifti2_source(tmp_path):
    """The mask of a NIfTI-2 source is NIfTI-2."""
    source = save_source(tmp_path / "x.nii.gz", np.eye(4), kind=nib.Nifti2Image)
    write_mask(tmp_path / "m.nii.gz", MASK, np.eye(4), source)
    mask = nib.load(tmp_path / "m.nii.gz")
    assert isinstance(mask, nib.Nifti2Image)
    np.testing.assert_array_equal(np.asanyarray(mask.dataobj), MASK)


def test_4d_source(tmp_path):
    """The mask of a 4D source is 3D, in its place."""
    affine = orientations()[17]
    nib.save(nib.Nifti1Image(np.ones((*SHAPE, 4), np.float32), affine), tmp_path / "x.nii")
    write_mask(tmp_path / "m.nii", MASK, affine, tmp_path / "x.nii")
    mask = nib.load(tmp_path / "m.nii")
    assert mask.shape == SHAPE
    np.testing.assert_array_equal(mask.affine, affine)
    np.testing.assert_array_equal(np.asanyarray(mask.dataobj), MASK)


@pytest.mark.parametrize("like", [None, "gone.nii", "text.nii", "other.nii", "source.mha"])
def test_source_that_cannot_lend_its_header(like, tmp_path):
    """Without a source of this grid the affine alone places the mask: painting is not lost."""
    affine = orientations()[31]
    (tmp_path / "text.nii").write_text("hello")
    save_source(tmp_path / "other.nii", np.eye(4))
    write_mask(tmp_path / "m.nii.gz", MASK, affine, like and tmp_path / like)
    mask = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(mask.affine, affine)
    np.testing.assert_array_equal(np.asanyarray(mask.dataobj), MASK)
    assert (mask.header["sform_code"], mask.header["qform_code"]) == (1, 1)


@pytest.mark.parametrize("name", ["m.png", "m", ".nii.gz", "m.nii.gz.bak"])
def test_unknown_suffix(name, tmp_path):
    """A name that no reader would open is refused with those that work."""
    with pytest.raises(OutputError, match=r"must end with .nii.gz, .nii, .mha"):
        write_mask(tmp_path / name, MASK, np.eye(4))


def test_probabilities(tmp_path):
    """Three maps come back within half a step of 1/65535, beyond 0 and 1 clipped."""
    source = save_source(tmp_path / "x.nii", orientations()[5])
    affine = read_volume(source).affine
    values = np.random.default_rng(0).uniform(-0.1, 1.1, (3, *SHAPE)).astype(np.float32)
    write_probabilities(tmp_path / "p.nii.gz", values, affine, source)
    image = nib.load(tmp_path / "p.nii.gz")
    assert image.shape == (*SHAPE, 3)
    np.testing.assert_array_equal(image.affine, affine)
    expected = np.moveaxis(values.clip(0, 1), 0, -1)
    np.testing.assert_allclose(image.get_fdata(), expected, atol=0.51 / 65535)
    assert bytes(image.header["descrip"]).startswith(b"probabilities of WT, TC, ET")
    ours = read_volume(tmp_path / "p.nii.gz", ndim=4)
    np.testing.assert_allclose(ours.data, expected, atol=0.52 / 65535)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_images_keep_their_type(dtype, tmp_path):
    """An image is written as it is, in three or four dimensions."""
    affine = orientations()[40]
    for shape in (SHAPE, (*SHAPE, 2)):
        voxels = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
        write_image(tmp_path / "x.nii.gz", voxels, affine)
        image = nib.load(tmp_path / "x.nii.gz")
        assert image.get_data_dtype() == np.dtype(dtype)
        np.testing.assert_array_equal(np.asanyarray(image.dataobj), voxels)
        np.testing.assert_array_equal(image.affine, affine)


def test_image_types_that_nifti_lacks(tmp_path):
    """Half floats and the like are refused, not silently changed."""
    with pytest.raises(OutputError, match="'float16' cannot be written"):
        write_image(tmp_path / "x.nii.gz", np.ones(SHAPE, np.float16), np.eye(4))
    with pytest.raises(OutputError, match="must end with"):
        write_image(tmp_path / "x.mha", np.ones(SHAPE, np.int16), np.eye(4))
