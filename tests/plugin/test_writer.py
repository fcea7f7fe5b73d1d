"""Saving a labels layer lands on the file's own voxels."""

from dataclasses import replace
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import load_case, load_mask
from napari_brats.errors import CaseError, LabelError, OutputError
from napari_brats.plugin.layers import mask_layer
from napari_brats.plugin.tags import DIFFERENCE, PREVIEW, tag_of
from napari_brats.plugin.writer import segmentation_from, write_labels

ORIENTATIONS = [
    (order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


@pytest.fixture
def case(tmp_path, make_patient_folder):
    return load_case(make_patient_folder(tmp_path / "data"))


@pytest.mark.parametrize("view", ["radiological", "neurological"])
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS[::7])
def test_saved_masks_land_on_the_files_voxels(tmp_path, make_patient_folder, order, signs, view):
    """Painted voxels are found at the same place of the file, with its affine, as uint8."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
        affine[world, axis] = sign * (1.0, 1.5, 2.0)[axis]
    case = load_case(make_patient_folder(tmp_path / "data", affine=affine, shape=(9, 10, 11)))
    tissues = np.zeros(case.shape, np.uint8)
    tissues[1, 2, 3], tissues[7, 0, 9] = 3, 2
    data, keywords, _ = mask_layer(case, tissues, "net", view)
    path = tmp_path / "out.nii.gz"
    assert write_labels(str(path), data, keywords) == [str(path)]
    found, saved_affine = load_mask(path, case.convention)
    np.testing.assert_array_equal(found, tissues)
    np.testing.assert_allclose(saved_affine, case.affine)
    image = nib.load(path)
    assert image.get_data_dtype() == np.uint8
    assert set(np.unique(np.asarray(image.dataobj))) == {0, 2, 4}


def test_sources_are_never_overwritten(case):
    """Every file of the patient is protected, and stays as it was."""
    data, keywords, _ = mask_layer(case, case.reference, "net")
    for path in (*case.image_paths.values(), case.reference_path):
        before = path.read_bytes()
        with pytest.raises(OutputError, match="never overwritten"):
            write_labels(str(path), data, keywords)
        assert path.read_bytes() == before


def test_a_layer_of_no_patient(tmp_path):
    """Without a patient there is no grid: refused, nothing is written."""
    with pytest.raises(CaseError, match="belongs to no BraTS patient"):
        write_labels(str(tmp_path / "a.nii.gz"), np.zeros((2, 2, 2), np.uint8), {"name": "x"})
    assert not list(tmp_path.iterdir())


def test_another_shape(case):
    """A layer that was cropped does not fit its patient any more."""
    data, keywords, _ = mask_layer(case, case.reference, "net")
    with pytest.raises(CaseError, match="patient's grid"):
        segmentation_from(tag_of(keywords["metadata"]), data[1:])


@pytest.mark.parametrize("label", [8, 255, -1, 300])
def test_labels_that_are_no_tissue(case, label):
    """A stray label is named instead of being wrapped to another tissue."""
    data, keywords, _ = mask_layer(case, case.reference, "net")
    stray = data.astype(np.int16)
    stray[0, 0, 0] = label
    with pytest.raises(LabelError, match="tissues are 0 to 7"):
        segmentation_from(tag_of(keywords["metadata"]), stray)


def test_a_preview_is_not_saved(case):
    """What only shows a tool's change is refused, with what to do instead."""
    voxels, keywords, _ = mask_layer(case, case.reference, "net")
    tag = replace(tag_of(keywords["metadata"]), role=PREVIEW)
    with pytest.raises(CaseError, match="press Apply"):
        segmentation_from(tag, voxels)


def test_a_difference_is_not_saved(case):
    """Where two masks disagree is no mask."""
    voxels, keywords, _ = mask_layer(case, case.reference, "net")
    tag = replace(tag_of(keywords["metadata"]), role=DIFFERENCE)
    with pytest.raises(CaseError, match="is no mask"):
        segmentation_from(tag, voxels)
