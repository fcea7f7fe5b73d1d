"""Brushes: the table row by row, and the laws that hold whatever is painted where."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.editing.brushes import region_brushes, tissue_brushes
from napari_brats.editing.limits import FREE, Limits
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, Tissue, region_mask

SHAPE = (2, 3, 4)
WHOLE = (slice(None),) * 3
PLACES = arrays(np.bool_, SHAPE)
GLI = LABEL_CONVENTIONS["brats2024-gli"]


def brushes(convention):
    """Return all brushes of an edition by name."""
    rows = (*tissue_brushes(convention), *region_brushes(convention))
    return {row.name: row for row in rows}


def passed(mask, brush, touched=True, limits=FREE, *, erasing=False):
    """Return the mask after one pass over the touched voxels."""
    stroke = brush.stroke(erasing=erasing)
    changed = stroke.voxels(mask, limits, WHOLE) & touched
    return np.where(changed, np.uint8(stroke.becomes), mask)


@st.composite
def painted(draw):
    """Draw a mask of an edition, one of its region brushes, touched voxels."""
    convention = draw(st.sampled_from(list(LABEL_CONVENTIONS.values())))
    codes = [0, *(int(tissue) for tissue in convention.codes.values())]
    mask = draw(arrays(np.uint8, SHAPE, elements=st.sampled_from(codes)))
    brush = draw(st.sampled_from(list(brushes(convention).values())))
    return convention, mask, brush, draw(PLACES)


@pytest.mark.parametrize(
    ("name", "erasing", "after"),
    [
        #                  0, N, E, A, C
        ("WT", False, [2, 1, 2, 3, 4]),
        ("WT", True, [0, 0, 0, 0, 4]),
        ("TC", False, [0, 1, 1, 3, 4]),
        ("TC", True, [0, 2, 2, 2, 4]),
        ("ET", False, [0, 3, 3, 3, 4]),
        ("ET", True, [0, 1, 2, 1, 4]),
        ("edema", False, [2, 2, 2, 2, 2]),
        ("edema", True, [0, 0, 0, 0, 0]),
        ("resection cavity", False, [4, 4, 4, 4, 4]),
        ("resection cavity", True, [0, 0, 0, 0, 0]),
    ],
)
def test_the_table(name, erasing, after):
    """Each tissue becomes what the table says."""
    mask = np.arange(5, dtype=np.uint8).reshape(1, 1, 5)
    found = passed(mask, brushes(GLI)[name], erasing=erasing)
    assert found.ravel().tolist() == after


def test_editions():
    """Core is what an edition calls it; regions that an edition lacks have no brush."""
    children = brushes(LABEL_CONVENTIONS["brats-ped"])
    assert children["ET"].leaves is children["TC"].becomes is Tissue.NON_ENHANCING
    assert [row.name for row in tissue_brushes(LABEL_CONVENTIONS["brats-ped"])] == [
        "enhancing tumor",
        "non-enhancing tumor",
        "cystic component",
        "edema",
    ]
    (gross,) = region_brushes(LABEL_CONVENTIONS["brats-men-rt"])
    assert (gross.becomes, gross.leaves) == (Tissue.GROSS_TUMOR, Tissue.BACKGROUND)
    assert all(len(region_brushes(row)) in (1, 3) for row in LABEL_CONVENTIONS.values())


def test_a_label_that_is_no_tissue():
    """Tissues paint over it and erase it, regions leave it alone; wide labels are not wrapped."""
    mask = np.array([[[9, 257, 3]]], np.int32)
    edema, core = brushes(GLI)["edema"], brushes(GLI)["TC"]
    assert passed(mask, edema).ravel().tolist() == [2, 2, 2]
    assert passed(mask, edema, erasing=True).ravel().tolist() == [0, 0, 0]
    assert passed(mask, core, erasing=True).ravel().tolist() == [9, 257, 2]


@settings(max_examples=40)
@given(painted(), st.booleans())
def test_laws_of_one_pass(drawn, erasing):
    """Only touched voxels change; a second pass changes nothing; every code can be saved."""
    convention, mask, brush, touched = drawn
    after = passed(mask, brush, touched, erasing=erasing)
    assert (after == mask)[~touched].all()
    np.testing.assert_array_equal(passed(after, brush, touched, erasing=erasing), after)
    assert set(np.unique(after)) <= {0, *(int(tissue) for tissue in convention.codes.values())}


@settings(max_examples=40)
@given(painted(), st.booleans())
def test_the_hierarchy(drawn, erasing):
    """ET in TC in WT holds, TC and ET never leave WT, and a cavity stays one."""
    _, mask, brush, touched = drawn
    if brush.name not in REGIONS or brush.leaves is brush.becomes:
        return
    after = passed(mask, brush, touched, erasing=erasing)
    whole, core, enhancing = (region_mask(after, name) for name in REGIONS)
    assert not (enhancing & ~core).any()
    assert not (core & ~whole).any()
    cavity = mask == Tissue.CAVITY
    np.testing.assert_array_equal(after == Tissue.CAVITY, cavity)
    if brush.leaves is not Tissue.BACKGROUND:
        np.testing.assert_array_equal(whole, region_mask(mask, "WT"))
    if brush.name == "ET" and erasing:
        np.testing.assert_array_equal(core, region_mask(mask, "TC"))


@settings(max_examples=40)
@given(painted())
def test_add_then_erase(drawn):
    """Adding fills what a brush may grow over, erasing empties; what was outside comes back."""
    _, mask, brush, touched = drawn
    members = [int(tissue) for tissue in brush.tissues]
    added = passed(mask, brush, touched)
    over = touched if brush.over is None else touched & np.isin(mask, [int(t) for t in brush.over])
    assert np.isin(added[over], members).all()
    erased = passed(added, brush, touched, erasing=True)
    assert not np.isin(erased[touched], members).any()
    outside = mask == int(brush.leaves)
    np.testing.assert_array_equal(erased[outside], mask[outside])


@settings(max_examples=30)
@given(painted(), st.booleans(), st.sampled_from(Tissue), st.sampled_from([*REGIONS]))
def test_locked_and_confined(drawn, erasing, locked, region):
    """A locked tissue keeps its voxels; outside the region nothing changes."""
    _, mask, brush, touched = drawn
    limits = Limits(locks=(frozenset({locked}),), inside=REGIONS[region].tissues)
    after = passed(mask, brush, touched, limits, erasing=erasing)
    np.testing.assert_array_equal(after == locked, mask == locked)
    changed = after != mask
    assert region_mask(mask, region)[changed].all()
