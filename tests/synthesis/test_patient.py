"""Whole patients from a tiny head."""

import numpy as np
import pytest
from scipy import ndimage

from napari_brats.case import MODALITIES
from napari_brats.errors import CaseError
from napari_brats.regions import REGIONS, Tissue, region_mask
from napari_brats.synthesis import SyntheticPatient, in_brats_frame, make_patient
from napari_brats.synthesis.anatomy import Anatomy
from napari_brats.synthesis.kinds import KINDS
from napari_brats.synthesis.patient import BRATS_AFFINE, BRATS_SHAPE

COARSE_MM = 4.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_a_sound_patient(anatomy: Anatomy, kind: str) -> None:
    """One grid, background exactly 0, brain above 0, tumor in the brain, regions nested."""
    patient = make_patient(anatomy, 5, spacing_mm=COARSE_MM, kind=kind)
    assert tuple(patient.images) == MODALITIES
    assert patient.kind == kind
    brain = patient.images["t1"] > 0
    for image in patient.images.values():
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert image.min() == 0
        np.testing.assert_array_equal(image > 0, brain)
    assert patient.tissues.dtype == np.uint8
    assert not patient.tissues[~brain].any()
    whole, core, enhancing = (region_mask(patient.tissues, name) for name in REGIONS)
    assert (enhancing <= core).all()
    assert (core <= whole).all()


def tissues_of(anatomy: Anatomy, kind: str) -> set[int]:
    """Return the tissues seen in some patients of a kind."""
    patients = (make_patient(anatomy, seed, spacing_mm=COARSE_MM, kind=kind) for seed in range(3))
    return {int(code) for patient in patients for code in np.unique(patient.tissues)} - {0}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ring", {Tissue.NECROSIS, Tissue.EDEMA, Tissue.ENHANCING}),
        ("none", set()),
        ("edema-only", {Tissue.EDEMA}),
    ],
)
def test_kinds_hold_their_tissues(anatomy: Anatomy, kind: str, expected: set[Tissue]) -> None:
    """A ring tumor has three tissues, a healthy brain none, edema alone only edema."""
    assert tissues_of(anatomy, kind) == expected


@pytest.mark.slow
def test_multifocal_patients_have_several_cores(anatomy: Anatomy) -> None:
    """Somewhere among a few patients lie two separate cores."""
    counts = []
    for seed in range(5):
        patient = make_patient(anatomy, seed, spacing_mm=COARSE_MM, kind="multifocal")
        counts.append(ndimage.label(region_mask(patient.tissues, "TC"), np.ones((3, 3, 3)))[1])
    assert max(counts) >= 2


def test_a_seed_decides_everything(anatomy: Anatomy) -> None:
    """The same seed gives the same voxels, another seed others."""
    first, same, other = (
        make_patient(anatomy, seed, spacing_mm=COARSE_MM) for seed in (11, 11, 12)
    )
    np.testing.assert_array_equal(first.tissues, same.tissues)
    for modality in MODALITIES:
        np.testing.assert_array_equal(first.images[modality], same.images[modality])
    assert first.tissues.shape != other.tissues.shape or (first.tissues != other.tissues).any()


@pytest.mark.slow
def test_distractors_are_not_labeled(anatomy: Anatomy) -> None:
    """Vessels, white-matter spots and dura leave no label in a healthy brain."""
    for seed in range(6):
        patient = make_patient(anatomy, seed, spacing_mm=COARSE_MM, kind="none")
        assert not patient.tissues.any()


def test_spacing_decides_the_grid(anatomy: Anatomy) -> None:
    """The affine is LPS with the asked-for voxel size, and the box fits the brain."""
    patient = make_patient(anatomy, 1, spacing_mm=3.0, kind="none")
    np.testing.assert_array_equal(np.diag(patient.affine), [-3, -3, 3, 1])
    size = np.array(patient.tissues.shape) * 3
    assert (size > 110).all()
    assert (size < 220).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed of 0 or more"),
        ({"seed": 0, "spacing_mm": 0.1}, "voxel size of 0.5 to 8 mm"),
        ({"seed": 0, "spacing_mm": float("nan")}, "voxel size"),
        ({"seed": 0, "kind": "blob"}, "choose one of ring"),
    ],
)
def test_bad_arguments_are_named(anatomy: Anatomy, arguments: dict[str, int], message: str) -> None:
    """Found, expected, what to do."""
    with pytest.raises(CaseError, match=message):
        make_patient(anatomy, **arguments)


def toy_patient(size: int, spacing_mm: float = 1.0) -> SyntheticPatient:
    """Return a cube of ones with one enhancing voxel in its middle."""
    image = np.ones((size, size, size), np.float32)
    tissues = np.zeros(image.shape, np.uint8)
    tissues[size // 2, size // 2, size // 2] = Tissue.ENHANCING
    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    return SyntheticPatient(dict.fromkeys(MODALITIES, image), tissues, affine, "ring")


@pytest.mark.parametrize("size", [1, 60, 155, 200])
def test_brats_frame_keeps_the_middle(size: int) -> None:
    """Whatever fits is kept; a brain taller than the frame loses its ends."""
    framed = in_brats_frame(toy_patient(size))
    assert framed.tissues.shape == BRATS_SHAPE
    np.testing.assert_array_equal(framed.affine, BRATS_AFFINE)
    assert np.argwhere(framed.tissues).tolist() == [[120, 123, 72]]
    assert framed.images["t1"].sum() == framed.images["t1"][120, 123].sum() * min(size, 200) ** 2


def test_brats_frame_needs_1_mm() -> None:
    """Other voxel sizes are refused, never silently stretched."""
    with pytest.raises(CaseError, match="not 2 mm"):
        in_brats_frame(toy_patient(10, 2.0))
