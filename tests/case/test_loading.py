"""Loading a patient of any edition into tissue codes on one grid."""

import nibabel as nib
import numpy as np
import pytest

from napari_brats.case import MODALITIES, load_case, load_mask, require_modalities
from napari_brats.errors import CaseError, LabelError
from napari_brats.naming import NAMINGS, find_patients
from napari_brats.regions import LABEL_CONVENTIONS, Tissue, encode_labels, label_convention
from napari_brats.volumes import write_mask


@pytest.mark.parametrize("naming", [*NAMINGS, "msd-task01", "nnunet"])
def test_every_edition_loads(naming, tmp_path, make_patient_folder):
    """Images are float32, the reference tissue codes of the edition's own convention."""
    case = load_case(make_patient_folder(tmp_path, naming))
    convention = NAMINGS[naming].convention if naming in NAMINGS else "msd"
    assert case.naming == naming
    assert case.convention is LABEL_CONVENTIONS[convention]
    assert set(case.images) == set(MODALITIES) - set(case.missing)
    assert case.shape == (20, 22, 18)
    assert {image.dtype for image in case.images.values()} == {np.dtype(np.float32)}
    assert set(np.unique(case.reference)) == {0, *case.convention.codes.values()}
    np.testing.assert_allclose(case.affine[1], [0, -1, 0, 239])


@pytest.mark.parametrize("naming", ["brats2012-2015", "brats2021", "msd-task01", "nnunet"])
def test_each_image_under_its_name(naming, tmp_path, make_patient_folder):
    """No two modalities are swapped (the test patient's are told by their brightness)."""
    case = load_case(make_patient_folder(tmp_path, naming))
    means = [case.images[name][10, 11, 9 - 2 : 9 + 2].mean() for name in MODALITIES]
    assert means == sorted(means)
    brightness = [round(image[image > 0].mean(), -2) for image in case.images.values()]
    assert brightness == [600, 700, 800, 900]


def test_numbers_as_in_the_file(tmp_path, make_patient_folder):
    """Intensities, affine and voxel volume are those of the files."""
    affine = np.array([[0, 0, 2.0, 5], [-1.5, 0, 0, 6], [0, 1, 0, 7], [0, 0, 0, 1]])
    folder = make_patient_folder(tmp_path, affine=affine)
    case = load_case(folder)
    for name, path in case.image_paths.items():
        np.testing.assert_array_equal(case.images[name], nib.load(path).get_fdata())
    np.testing.assert_array_equal(case.affine, affine)
    np.testing.assert_allclose(case.spacing_mm, [1.5, 1, 2])
    assert case.voxel_ml == pytest.approx(0.003)


def test_patient_without_reference(tmp_path, make_patient_folder):
    """No mask is no fault."""
    case = load_case(make_patient_folder(tmp_path, reference=False))
    assert case.reference is None
    assert case.reference_path is None


def test_patient_with_one_modality(tmp_path, make_patient_folder):
    """What is there is loaded, what lacks is listed and noted by the name looked for."""
    case = load_case(make_patient_folder(tmp_path, modalities=["flair"]))
    assert case.missing == ("t1", "t1ce", "t2")
    assert case.notes[0] == "no t1: looked for 'BraTS2021_00005_t1.nii.gz'"


def test_an_ambiguous_edition_is_noted_until_the_user_chooses(tmp_path, make_patient_folder):
    """PED changed its codes but not its names; the note goes once ``labels`` is given."""
    folder = make_patient_folder(tmp_path / "with", "brats-ped")
    caution = NAMINGS["brats-ped"].caution
    assert load_case(folder).notes == (caution,)
    assert load_case(folder, labels="brats-ped").notes == ()
    bare = make_patient_folder(tmp_path / "without", "brats-ped", reference=False)
    assert load_case(bare).notes == ()


def test_needed_modalities(tmp_path, make_patient_folder):
    """Who needs what is said when it lacks, and only then."""
    case = load_case(make_patient_folder(tmp_path, modalities=["t1", "flair"]))
    require_modalities(case, ["flair", "t1"], "model 'x'")
    with pytest.raises(CaseError) as caught:
        require_modalities(case, MODALITIES, "model 'dresunet3d'")
    assert str(caught.value) == (
        "'BraTS2021_00005' has no t1ce and no t2 (it has t1, flair), which model 'dresunet3d' "
        "needs; add the file or choose another model"
    )


def test_convention_of_the_user_wins(tmp_path, make_patient_folder):
    """``labels`` reads the same codes in another way."""
    folder = make_patient_folder(tmp_path, "brats-ped")
    default, other = load_case(folder), load_case(folder, labels="brats2024-gli")
    assert other.convention.name == "brats2024-gli"
    assert not np.array_equal(default.reference, other.reference)
    with pytest.raises(LabelError, match="unknown label convention 'x'"):
        load_case(folder, labels="x")


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8", "i4"])
def test_masks_of_any_type(dtype, tmp_path, make_patient_folder):
    """Masks saved as floats or wide integers are codes all the same."""
    folder = make_patient_folder(tmp_path)
    path = folder / "BraTS2021_00005_seg.nii.gz"
    expected = load_case(folder).reference
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj).astype(dtype), image.affine), path)
    np.testing.assert_array_equal(load_case(folder).reference, expected)
    tissues, affine = load_mask(path, LABEL_CONVENTIONS["brats2017-2021"])
    np.testing.assert_array_equal(tissues, expected)
    np.testing.assert_array_equal(affine, image.affine)


def test_slightly_rounded_headers_are_one_grid(tmp_path, make_patient_folder):
    """Masks from other editors, with an offset off by 0.01 mm, are accepted."""
    folder = make_patient_folder(tmp_path)
    path = folder / "BraTS2021_00005_seg.nii.gz"
    image = nib.load(path)
    nudged = image.affine.copy()
    nudged[0, 3] += 0.01
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj), nudged), path)
    assert load_case(folder).reference is not None


@pytest.mark.real_data
@pytest.mark.slow
def test_all_real_patients_load(real_data_dir):
    """Every real patient passes every check; some have no enhancing tumor, all have a tumor."""
    for patient in find_patients(real_data_dir):
        case = load_case(patient.folder)
        assert case.shape == (240, 240, 155)
        assert case.missing == ()
        assert case.reference.max() in (Tissue.EDEMA, Tissue.ENHANCING)


@pytest.mark.parametrize("stored", [np.uint8, np.int16])
def test_masks_that_nibabel_scaled(stored, tmp_path):
    """Whole numbers saved as floats under an integer header come back a little off: rounded."""
    codes = np.zeros((6, 5, 4), np.float64)
    codes[1], codes[2], codes[3] = 1, 2, 4
    image = nib.Nifti1Image(codes, np.eye(4))
    image.set_data_dtype(stored)
    nib.save(image, tmp_path / "m.nii.gz")
    assert not np.array_equal(nib.load(tmp_path / "m.nii.gz").get_fdata(), codes)
    found, _ = load_mask(tmp_path / "m.nii.gz", LABEL_CONVENTIONS["brats2017-2021"])
    np.testing.assert_array_equal(found, np.choose(codes.astype(int), [0, 1, 2, 0, 3]))


def test_masks_between_codes_are_refused(tmp_path):
    """A mask resampled as if it were an image holds halves, scaled or not."""
    codes = np.zeros((6, 5, 4), np.float64)
    codes[1], codes[2] = 4, 1.5
    image = nib.Nifti1Image(codes, np.eye(4))
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "m.nii.gz")
    with pytest.raises(LabelError, match=r"holds code 1\.5"):
        load_mask(tmp_path / "m.nii.gz", LABEL_CONVENTIONS["brats2017-2021"])


def test_a_reference_that_records_its_codes(tmp_path, make_patient_folder):
    """A mask of ours under a reference's name is read by its header, not by the name."""
    folder = make_patient_folder(tmp_path, "brats-gli")
    case = load_case(folder)
    msd = label_convention("msd")
    codes = encode_labels(np.where(case.reference == Tissue.CAVITY, 0, case.reference), msd)
    write_mask(case.reference_path, codes, case.affine, convention="msd")
    again = load_case(folder)
    np.testing.assert_array_equal(again.reference == Tissue.EDEMA, case.reference == Tissue.EDEMA)
    assert again.convention == case.convention


def test_an_unknown_orientation_is_noted(tmp_path, make_patient_folder):
    """Without sform and qform left and right are a guess, and people are told."""
    folder = make_patient_folder(tmp_path)
    assert load_case(folder).notes == ()
    for path in folder.iterdir():
        image = nib.load(path)
        voxels = np.asarray(image.dataobj)
        image.set_sform(None, code=0)
        image.set_qform(None, code=0)
        nib.save(nib.Nifti1Image(voxels, None, image.header), path)
    (note,) = load_case(folder).notes
    assert "left and right may be exchanged" in note
