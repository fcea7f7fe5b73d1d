"""Each whole-volume tool against cases worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from napari_brats.editing.boxes import apply_edit
from napari_brats.editing.brushes import region_brushes, tissue_brushes
from napari_brats.editing.limits import Limits
from napari_brats.editing.tools.table import TOOLS
from napari_brats.editing.tools.work import Work, gained_and_lost_ml
from napari_brats.regions import LABEL_CONVENTIONS, Tissue

CONVENTION = LABEL_CONVENTIONS["brats2024-gli"]
BRUSHES = {
    brush.name: brush for brush in (*region_brushes(CONVENTION), *tissue_brushes(CONVENTION))
}
SPACING = (1.0, 1.0, 1.0)


def work_on(mask, brush=None, **others):
    """Return work on a mask, an existing one or a shape."""
    mask = np.zeros(mask, np.uint8) if isinstance(mask, tuple) else np.array(mask, np.uint8)
    chosen = None if brush is None else BRUSHES[brush]
    return Work(
        mask, **{"spacing_mm": SPACING, **others}, brush=chosen, brushes=(*BRUSHES.values(),)
    )


def result_of(tool, work, **values):
    """Run a tool and make its change."""
    mask = work.mask.copy()
    box = TOOLS[tool].run(work, **values)
    if box is not None:
        apply_edit(mask, (box,))
    return mask


def test_slices_between_equal_shapes():
    """Between two equal squares lie equal squares; beyond the widest gap lies nothing."""
    work = work_on((5, 6, 6), "WT")
    work.mask[[0, 4], 1:4, 2:5] = Tissue.EDEMA
    assert (result_of("slices", work, widest_mm=4) == work.mask[0]).all()
    assert (result_of("slices", work, widest_mm=3) == work.mask).all()
    turned = replace(work, mask=work.mask.transpose(1, 2, 0), axis=2)
    assert (result_of("slices", turned, widest_mm=4) == work.mask[0][..., None]).all()


def test_slices_that_do_not_overlap():
    """A shape that moves is found half way, of the same size."""
    work = work_on((3, 5, 13), "WT")
    work.mask[0, 1:4, 1:4] = work.mask[2, 1:4, 9:12] = Tissue.EDEMA
    expected = np.zeros((5, 13))
    expected[1:4, 5:8] = Tissue.EDEMA
    np.testing.assert_array_equal(result_of("slices", work)[1], expected)


def test_slices_of_all_tissues():
    """Every region is filled inside the one around it; what stands between is not erased."""
    work = work_on((3, 7, 7))
    work.mask[[0, 2], 0:7, 0:7] = Tissue.EDEMA
    work.mask[[0, 2], 2:6, 2:6] = Tissue.NECROSIS
    work.mask[[0, 2], 3:5, 3:5] = Tissue.ENHANCING
    expected = work.mask[0].copy()
    np.testing.assert_array_equal(result_of("slices", work)[1], expected)
    work.mask[1, 0, 0] = Tissue.CAVITY
    expected[0, 0] = Tissue.CAVITY
    filled = result_of("slices", work)[1]
    assert filled[0, 0] == Tissue.CAVITY


@pytest.mark.parametrize(
    ("brush", "left"), [("WT", 0), ("TC", 2), ("ET", 1), ("enhancing tumor", 0)]
)
def test_an_island_becomes_what_the_brush_says(brush, left):
    """A part below the volume goes the way of the eraser; one of that volume stays."""
    work = work_on((4, 4, 9), brush)
    work.mask[1, 1, 1] = work.mask[1:3, 1:3, 6:8] = Tissue.ENHANCING
    mask = result_of("islands", work, least_ml=0.008)
    assert mask[1, 1, 1] == left
    assert (mask[1:3, 1:3, 6:8] == Tissue.ENHANCING).all()


def test_holes():
    """An enclosed hole is filled up to the volume; one open to the border is none."""
    work = work_on((5, 5, 9), "WT")
    work.mask[1:4, 1:4, 1:4] = work.mask[1:4, 1:4, 6:] = Tissue.EDEMA
    work.mask[2, 2, 2] = work.mask[2, 2, 7:] = 0
    expected = work.mask.copy()
    expected[2, 2, 2] = Tissue.EDEMA
    np.testing.assert_array_equal(result_of("holes", work, most_ml=0.001), expected)
    assert TOOLS["holes"].run(work, most_ml=0) is None
    work.mask[2, 2, 2] = Tissue.CAVITY
    assert TOOLS["holes"].run(work) is None


def test_grow_and_shrink_in_millimeters():
    """Three millimeters are one thick voxel, three thin ones."""
    work = work_on((5, 9, 9), "WT", spacing_mm=(3.0, 1.0, 1.0))
    work.mask[2, 4, 4] = Tissue.EDEMA
    grown = result_of("grow", work, mm=3)
    assert np.flatnonzero(grown[:, 4, 4]).tolist() == [1, 2, 3]
    assert np.flatnonzero(grown[2, :, 4]).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert not grown[1, 4, 5]
    np.testing.assert_array_equal(result_of("shrink", replace(work, mask=grown), mm=3), work.mask)


def test_growing_stays_inside():
    """TC grows over edema only, a locked tissue is left alone."""
    work = work_on((1, 1, 9), "TC")
    work.mask[0, 0] = [0, 0, 2, 2, 3, 2, 4, 0, 0]
    assert result_of("grow", work, mm=4)[0, 0].tolist() == [0, 0, 1, 1, 3, 1, 4, 0, 0]
    locked = replace(work, limits=Limits(locks=(frozenset({Tissue.EDEMA}),)))
    assert TOOLS["grow"].run(locked, mm=4) is None


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
@pytest.mark.parametrize("mm", [1, 2.5, 4])
def test_grown_then_shrunk_contains(spacing, mm):
    """Nothing is lost by growing and shrinking, nothing won by shrinking and growing."""
    rng = np.random.default_rng(int(mm))
    mask = np.where(rng.random((8, 9, 10)) < 0.15, Tissue.EDEMA, 0)
    work = work_on(mask, "WT", spacing_mm=spacing)
    closed = result_of("shrink", replace(work, mask=result_of("grow", work, mm=mm)), mm=mm)
    assert (closed[mask > 0] > 0).all()
    opened = result_of("grow", replace(work, mask=result_of("shrink", work, mm=mm)), mm=mm)
    assert (mask[opened > 0] > 0).all()


def test_smooth_keeps_interfaces():
    """A spike goes, a straight border between two tissues stays where it is, without a gap."""
    work = work_on((12, 12, 12))
    work.mask[2:10, 2:10, 2:10] = Tissue.EDEMA
    work.mask[2:10, 2:10, 6:10] = Tissue.NECROSIS
    work.mask[6, 6, 10:] = Tissue.NECROSIS
    mask = result_of("smooth", work)
    assert not mask[6, 6, 11]
    middle = mask[5:7, 5:7]
    assert (middle[..., 2:6] == Tissue.EDEMA).all()
    assert (middle[..., 6:10] == Tissue.NECROSIS).all()


def test_drop_by_volume():
    """Less than the volume goes as a whole, that volume stays."""
    work = work_on((3, 3, 5), "ET")
    work.mask[1, 1] = [2, 3, 1, 3, 2]
    assert result_of("drop", work, least_ml=0.003)[1, 1].tolist() == [2, 1, 1, 1, 2]
    assert TOOLS["drop"].run(work, least_ml=0.002) is None


@pytest.mark.parametrize(
    ("way", "expected"),
    [("replace", [0, 2, 2, 3, 1]), ("add", [0, 2, 3, 3, 1]), ("remove", [0, 2, 2, 3, 0])],
)
def test_take_core(way, expected):
    """TC comes with its tissues; what is core here only becomes edema."""
    mask, other = (np.array([[codes]], np.uint8) for codes in ([0, 2, 3, 3, 0], [2, 0, 0, 3, 1]))
    work = replace(work_on(mask, "TC"), other=other)
    assert result_of("take", work, way=way)[0, 0].tolist() == expected


def test_seed_in_two_modalities():
    """What only one modality tells apart is told apart by both together, within the radius."""
    work = work_on((9, 9, 30), "WT", seed=(4, 4, 4))
    rng = np.random.default_rng(0)
    first, second = (rng.normal(0, 1, work.mask.shape).astype(np.float32) for _ in range(2))
    first[2:7, 2:7, 2:24] += 50
    second[2:7, 2:7, 2:12] += 50
    work = replace(work, images=(first, second))
    found = result_of("seed", work, radius_mm=30) > 0
    expected = np.zeros_like(found)
    expected[2:7, 2:7, 2:12] = True
    assert not (found & ~expected).any()
    assert found.sum() > 0.7 * expected.sum()
    near = result_of("seed", work, radius_mm=2) > 0
    assert near.sum() <= 33
    assert near[4, 4, 4]


def test_seed_where_the_brush_may_not_paint():
    """A seed on background does not start a core: TC never leaves WT."""
    work = work_on((5, 5, 5), "TC", seed=(2, 2, 2))
    assert TOOLS["seed"].run(replace(work, images=(np.zeros((5, 5, 5)),))) is None


def test_box_takes_nothing_from_outside():
    """Within half an edge of the place the other mask's tissues stand, elsewhere mine."""
    work = work_on((11, 11, 11), seed=(5, 5, 5))
    work = replace(work, other=np.full((11, 11, 11), Tissue.EDEMA, np.uint8))
    mask = result_of("box", work, edge_mm=6)
    expected = np.zeros_like(mask)
    expected[2:9, 2:9, 2:9] = Tissue.EDEMA
    np.testing.assert_array_equal(mask, expected)


def test_what_came_and_went():
    """Volumes by tissue, background left out."""
    work = work_on((1, 1, 4), "ET", spacing_mm=(10.0, 10.0, 10.0))
    work.mask[0, 0] = [2, 3, 3, 0]
    box = TOOLS["drop"].run(work, least_ml=3)
    assert gained_and_lost_ml(box, work.voxel_ml) == {
        "necrosis": (2.0, 0.0),
        "enhancing tumor": (0.0, 2.0),
    }
