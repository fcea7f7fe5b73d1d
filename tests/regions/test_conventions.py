"""Label conventions: the meaning of every number in every edition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_brats.errors import LabelError
from napari_brats.regions import (
    LABEL_CONVENTIONS,
    Tissue,
    conventions_with,
    decode_labels,
    encode_labels,
    label_convention,
)

ROWS = list(LABEL_CONVENTIONS.values())
by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@by_row
def test_no_two_codes_share_a_tissue(row):
    """A convention can be read and written without loss, and 0 is always background."""
    assert len(set(row.codes.values())) == len(row.codes)
    assert 0 not in row.codes
    assert row.code_of(Tissue.BACKGROUND) == 0
    assert all(target in {*row.codes.values(), Tissue.BACKGROUND} for target in row.merges.values())
    assert not set(row.merges) & set(row.codes.values())


@by_row
def test_round_trip_of_all_codes(row):
    """Encoding undoes decoding for every code, in any integer or float type."""
    codes = np.array([0, *row.codes])
    for dtype in (np.uint8, np.int16, np.int64, np.float32, np.float64):
        tissues = decode_labels(codes.astype(dtype), row)
        assert tissues.dtype == np.uint8
        np.testing.assert_array_equal(encode_labels(tissues, row), codes)


@settings(max_examples=30)
@given(
    st.sampled_from(ROWS).flatmap(
        lambda row: st.tuples(
            st.just(row),
            hnp.arrays(np.uint8, (2, 3, 4), elements=st.sampled_from([0, *row.codes])),
        )
    )
)
def test_round_trip_of_masks(row_and_mask):
    """Encoding undoes decoding for whole masks."""
    row, mask = row_and_mask
    np.testing.assert_array_equal(encode_labels(decode_labels(mask, row), row), mask)


@pytest.mark.parametrize(
    ("name", "codes", "tissues"),
    [
        ("brats2012-2015", [1, 2, 3, 4], "NECROSIS EDEMA NON_ENHANCING ENHANCING"),
        ("brats2017-2021", [1, 2, 4], "NECROSIS EDEMA ENHANCING"),
        ("brats2023-gli", [1, 2, 3], "NECROSIS EDEMA ENHANCING"),
        ("brats2024-gli", [1, 2, 3, 4], "NECROSIS EDEMA ENHANCING CAVITY"),
        ("brats-ped", [1, 2, 3, 4], "ENHANCING NON_ENHANCING CYST EDEMA"),
        ("brats-men-rt", [1], "GROSS_TUMOR"),
        ("msd", [1, 2, 3], "EDEMA NECROSIS ENHANCING"),
    ],
)
def test_meaning_of_codes(name, codes, tissues):
    """The same number means different tissue in different editions."""
    expected = [Tissue[word] for word in tissues.split()]
    np.testing.assert_array_equal(
        decode_labels(np.array(codes, np.uint8), LABEL_CONVENTIONS[name]), expected
    )


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([0, 3], "holds code 3, which 'brats2017-2021' does not have (it has 1, 2, 4)"),
        ([0, 1, 2, 3], "choose one that fits with --labels: brats2012-2015, brats2023-gli"),
        ([9, 10], "code 9, 10"),
        ([255], "no known convention fits; check that this is a BraTS mask"),
        ([-1], "code -1"),
        ([300], "code 300"),
        ([0.5], "code 0.5"),
        ([np.nan], "code nan"),
        ([np.inf], "code inf"),
    ],
)
def test_unknown_codes(labels, found):
    """An unknown code is named with the file, what was expected and what would fit."""
    with pytest.raises(LabelError) as caught:
        decode_labels(np.array(labels), LABEL_CONVENTIONS["brats2017-2021"], source="'x.nii'")
    assert found in str(caught.value)
    assert str(caught.value).startswith("'x.nii' holds code")


def test_unknown_convention_lists_all():
    """A wrong name is answered with the choices."""
    assert label_convention("msd") is LABEL_CONVENTIONS["msd"]
    with pytest.raises(LabelError, match=r"unknown label convention 'brats'; choose .* msd"):
        label_convention("brats")


def test_conventions_that_fit():
    """Only conventions that know every code are offered."""
    assert conventions_with({1, 2, 4}) == [
        "brats2012-2015",
        "brats2017-2021",
        "brats2024-gli",
        "brats-met",
        "brats-ped",
    ]
    assert conventions_with({7}) == []


@by_row
def test_usual_tissues_can_be_saved_everywhere(row):
    """What a network paints (necrosis, edema, enhancing) has a place in every convention."""
    usual = np.array([Tissue.NECROSIS, Tissue.EDEMA, Tissue.ENHANCING], np.uint8)
    assert set(encode_labels(usual, row)) <= {0, *row.codes}


def test_merged_tissues():
    """A tissue without a code goes where the table says; edema leaves a gross tumor volume."""
    tissues = np.array([Tissue.CYST, Tissue.EDEMA, Tissue.NECROSIS], np.uint8)
    assert encode_labels(tissues, LABEL_CONVENTIONS["brats2017-2021"]).tolist() == [1, 2, 1]
    assert encode_labels(tissues, LABEL_CONVENTIONS["brats-men-rt"]).tolist() == [1, 0, 1]
    assert encode_labels(tissues, LABEL_CONVENTIONS["brats-ped"]).tolist() == [3, 4, 2]


@pytest.mark.parametrize(
    ("tissue", "name"), [(Tissue.CAVITY, "resection cavity"), (200, "code 200")]
)
def test_tissue_without_a_place(tissue, name):
    """A tissue that would be lost on save is refused by name."""
    with pytest.raises(LabelError, match=f"'brats2017-2021' has no code for '{name}'; save with"):
        encode_labels(np.array([tissue], np.uint8), LABEL_CONVENTIONS["brats2017-2021"])
