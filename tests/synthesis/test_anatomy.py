"""Label maps become tissue fractions."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.errors import CaseError
from napari_brats.synthesis.anatomy import (
    CLASS_CODES,
    CLASSES,
    Anatomy,
    anatomy_from_labels,
    classes_of,
    load_anatomy,
)
from napari_brats.volumes import write_image

SPACING = (5.0, 5.0, 5.0)
CSF, VENTRICLE, WHITE = (CLASSES.index(name) + 1 for name in ("csf", "ventricle", "white"))


def test_no_code_belongs_to_two_classes() -> None:
    """Each FreeSurfer code has one class, and each class has codes."""
    codes = [code for row in CLASS_CODES.values() for code in row]
    assert len(codes) == len(set(codes))
    assert tuple(CLASS_CODES) == CLASSES


def test_empty_map_has_no_classes() -> None:
    """Nothing stays nothing."""
    assert not classes_of(np.zeros((5, 5, 5), np.int32), SPACING).any()


def test_codes_become_classes(labels: NDArray[np.int32]) -> None:
    """White matter and ventricles keep their voxels."""
    classes = classes_of(labels, SPACING)
    np.testing.assert_array_equal(classes == WHITE, np.isin(labels, (2, 41)))
    np.testing.assert_array_equal(classes == VENTRICLE, np.isin(labels, (4, 43)))


def test_far_csf_is_trimmed(labels: NDArray[np.int32]) -> None:
    """CSF far from the closed brain is dropped, as skull stripping does."""
    wet = labels.copy()
    wet[wet == 0] = 24
    classes = classes_of(wet, SPACING)
    assert classes[0, 0, 0] == 0
    np.testing.assert_array_equal(classes, classes_of(labels, SPACING))


def test_extracerebral_and_negative_codes_are_dropped(labels: NDArray[np.int32]) -> None:
    """Codes of 500 and above and negative ones are outside the brain."""
    odd = labels.copy()
    odd[0, 0, 0], odd[1, 1, 1] = 515, -3
    np.testing.assert_array_equal(classes_of(odd, SPACING), classes_of(labels, SPACING))


def test_unknown_code_takes_the_nearest_class(labels: NDArray[np.int32]) -> None:
    """A code that no table knows becomes what surrounds it."""
    odd = labels.copy()
    place = tuple(np.argwhere(labels == 41)[200])
    odd[place] = 333
    assert classes_of(odd, SPACING)[place] == WHITE


def test_csf_lies_between_the_hemispheres() -> None:
    """Where left and right cortex touch there is a fissure."""
    labels = np.zeros((20, 12, 12), np.int32)
    labels[2:10, 2:10, 2:10] = 42
    labels[10:18, 2:10, 2:10] = 3
    classes = classes_of(labels, SPACING)
    assert (classes[9:11, 3:9, 3:9] == CSF).all()
    assert (classes[5, 3:9, 3:9] != CSF).all()


def test_fractions_add_up(anatomy: Anatomy) -> None:
    """Fractions are 255 together well inside the brain and 0 at the rim of the box."""
    total = anatomy.fractions.sum(0, dtype=int)
    middle = tuple(size // 2 for size in anatomy.shape)
    assert abs(total[middle] - 255) <= 3
    assert not total[0].any()
    assert anatomy.brain_mm.min() > 100


def test_too_little_brain_is_an_error() -> None:
    """A mask of another kind is refused with the volume found."""
    with pytest.raises(CaseError, match=r"'mask.nii' holds 125 ml .* FreeSurfer-style"):
        anatomy_from_labels(np.full((10, 10, 10), 2, np.int32), SPACING, "mask.nii")


def test_an_image_is_no_label_map() -> None:
    """Voxels of an image have codes that no table knows."""
    image = np.random.default_rng(0).integers(0, 255, (20, 20, 20))
    with pytest.raises(CaseError, match=r"'t1.nii' is no FreeSurfer-style .* have known codes"):
        anatomy_from_labels(image, SPACING, "t1.nii")


@pytest.mark.parametrize("value", [2.5, np.nan, np.inf])
def test_fractions_and_nan_are_an_error(
    tmp_path: Path, labels: NDArray[np.int32], value: float
) -> None:
    """A label map holds whole numbers only."""
    odd = labels.astype(np.float32)
    odd[17, 20, 17] = value
    write_image(tmp_path / "odd.nii.gz", odd, np.diag([-5.0, -5.0, 5.0, 1.0]))
    with pytest.raises(CaseError, match=r"odd\.nii\.gz' holds fractions or values"):
        load_anatomy(tmp_path / "odd.nii.gz")


def test_four_dimensions_are_an_error() -> None:
    """A 4D array is no label map."""
    with pytest.raises(CaseError, match="expected a 3D label map"):
        anatomy_from_labels(np.ones((4, 4, 4, 2), np.int32), SPACING)


def test_any_orientation_reads_the_same(tmp_path: Path, labels: NDArray[np.int32]) -> None:
    """A map stored in RAS and one stored in LPS give the same anatomy."""
    lps = np.diag([-5.0, -5.0, 5.0, 1.0])
    ras = np.diag([5.0, 5.0, 5.0, 1.0])
    write_image(tmp_path / "lps.nii.gz", labels.astype(np.int16), lps)
    write_image(tmp_path / "ras.nii.gz", labels[::-1, ::-1].astype(np.int16), ras)
    first, second = (load_anatomy(tmp_path / f"{name}.nii.gz") for name in ("lps", "ras"))
    np.testing.assert_array_equal(first.fractions, second.fractions)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(CaseError, match=r"brain\.nii\.gz"):
        load_anatomy(tmp_path / "brain.nii.gz")
