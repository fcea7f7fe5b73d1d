"""The table of file namings: every row, and the traps between rows."""

import pytest

from napari_brats.naming import MODALITIES, NAMINGS, REFERENCE
from napari_brats.regions import LABEL_CONVENTIONS

ROWS = list(NAMINGS.values())
BY_FILE = [row for row in ROWS if not row.nested]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_refers_to_known_things(row):
    """A row's convention, modalities and key exist in their own tables."""
    assert row.convention in LABEL_CONVENTIONS
    assert set(row.modalities) <= set(MODALITIES)
    assert NAMINGS[row.name] is row
    assert REFERENCE in row.suffixes


@pytest.mark.parametrize("row", BY_FILE, ids=lambda row: row.name)
def test_names_a_row_writes_are_names_it_reads(row):
    """`parse` is the inverse of `file_name` for every role of every row."""
    for role in row.suffixes:
        name = row.file_name(row.example, role, ".nii.gz")
        assert row.parse(name.removesuffix(".nii.gz"), "folder") == (row.example, role)


@pytest.mark.parametrize("row", BY_FILE, ids=lambda row: row.name)
def test_first_row_that_reads_an_example_is_its_own(row):
    """No strict row takes the patients of a later one."""
    stem = row.file_name(row.example, row.modalities[0], ".nii").removesuffix(".nii")
    fitting = [other for other in ROWS if other.parse(stem, "folder")]
    assert fitting[0] is row


def test_t1_does_not_match_t1ce():
    """A suffix matches whole: ``_t1ce`` is never taken for ``_t1``."""
    row = NAMINGS["brats2021"]
    assert row.parse("BraTS2021_00005_t1ce", "") == ("BraTS2021_00005", "t1ce")
    assert row.parse("BraTS2021_00005_t1", "") == ("BraTS2021_00005", "t1")
    assert row.parse("BraTS2021_00005_t1ce_mask", "") is None


@pytest.mark.parametrize(
    ("stem", "role"),
    [
        ("VSD.Brain.XX.O.MR_T1.54513", "t1"),
        ("VSD.Brain.XX.O.MR_T1c.54514", "t1ce"),
        ("VSD.Brain.XX.O.MR_T2.54515", "t2"),
        ("VSD.Brain.XX.O.MR_Flair.54512", "flair"),
        ("VSD.Brain_3more.XX.O.OT.54517", REFERENCE),
        ("VSD.Brain_2more.XX.O.OT.6560", REFERENCE),
        ("VSD.Brain_3more.XX.XX.OT.6560", REFERENCE),
    ],
)
def test_names_of_the_virtual_skeleton_database(stem, role):
    """The .mha trees of 2012-2015 carry a number a file; the folder names the patient."""
    assert NAMINGS["brats2012-2015"].parse(stem, "brats_2013_pat0001_1") == (
        "brats_2013_pat0001_1",
        role,
    )


@pytest.mark.parametrize(
    ("naming", "stem"),
    [
        ("brats2017-2020", "Brats17_TCIA_117_1_t1"),
        ("brats2017-2020", "Brats18_CBICA_AAB_1_flair"),
        ("brats2017-2020", "BraTS19_2013_0_1_t2"),
        ("brats2017-2020", "BraTS20_Validation_001_t1ce"),
        ("brats-gli", "BraTS-GLI-02143-102-t1n"),
        ("brats-goat", "BraTS-GoAT-02489-t2w"),
        ("brats-men-rt", "BraTS-MEN-RT-0402-1_t1c"),
        ("brats-men-rt", "BraTS-MEN-RT-0402-1_gtv"),
    ],
)
def test_ids_as_published(naming, stem):
    """Ids of the published collections belong to their row."""
    fitting = [row.name for row in ROWS if row.parse(stem, "folder")]
    assert fitting[0] == naming


def test_misnamed_mask_of_patient_355():
    """``W39_1998.09.19_Segm`` is a reference in that one patient's folder and nowhere else."""
    row = NAMINGS["brats2017-2020"]
    stem = "W39_1998.09.19_Segm"
    assert row.parse(stem, "BraTS20_Training_355") == ("BraTS20_Training_355", REFERENCE)
    assert row.parse(stem, "BraTS20_Training_356") is None


@pytest.mark.parametrize("stem", ["", "t1map", "BraTS2021_00005", "sub-01_T1w", "scan_final"])
def test_other_names_are_of_no_edition(stem):
    """Names without a known suffix are left alone."""
    assert not [row.name for row in ROWS if row.parse(stem, "folder")]
