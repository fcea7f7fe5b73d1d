"""Findings: volumes, sides, parts and certainty, computed by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.errors import CaseError
from napari_brats.preprocessing.steps import Reorient
from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.workflows.report.findings import certainty, find
from napari_brats.workflows.report.patient import summary

RAS = np.diag([2.0, 1.0, 1.0, 1.0])
MakeTumor = Callable[..., tuple[Case, NDArray[np.uint8]]]


@pytest.fixture
def make_tumor() -> MakeTumor:
    """Return a function that gives a head from x = 4 to 23, so midline 13.5, and a mask."""

    def make(
        boxes: list[tuple[tuple[slice, slice, slice], Tissue]], orientation: str = "RAS"
    ) -> tuple[Case, NDArray[np.uint8]]:
        image = np.zeros((30, 20, 10), np.float32)
        image[4:24, 2:18, 1:9] = 100
        mask = np.zeros(image.shape, np.float32)
        for box, tissue in boxes:
            mask[box] = tissue
        stack, affine, _ = Reorient(orientation).apply(np.stack([image, mask]), RAS)
        convention = LABEL_CONVENTIONS["brats2017-2021"]
        case = Case("c", "brats2021", convention, {"flair": stack[0]}, affine, None, {}, None)
        return case, stack[1].astype(np.uint8)

    return make


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "PIR", "SLA", "AIL"])
def test_sides_and_distances_by_hand(orientation: str, make_tumor: MakeTumor) -> None:
    """A box at x = 18..20 lies right (x grows rightward), its edge at 17.5: 4 voxels of 2 mm."""
    case, mask = make_tumor([(np.s_[18:21, 5:10, 4:6], Tissue.EDEMA)], orientation)
    place = find(case, mask).places["WT"]
    assert place.side == "right"
    assert place.nearest_mm == pytest.approx(8.0)
    assert place.center_mm == pytest.approx((19 - 13.5) * 2)
    assert (place.left_ml, place.right_ml) == pytest.approx((0, 3 * 5 * 2 * 2 / 1000))


def test_a_tumor_across_the_midline(make_tumor: MakeTumor) -> None:
    """Both sides from 5 % of the smaller on; the distance is 0 as soon as it is crossed."""
    case, mask = make_tumor([(np.s_[5:23, 5:6, 4:5], Tissue.EDEMA)])
    assert find(case, mask).places["WT"].side == "both sides"
    case, mask = make_tumor(
        [(np.s_[4:14, 5:15, 2:8], Tissue.EDEMA), (np.s_[14:15, 5:7, 2:8], Tissue.EDEMA)]
    )
    place = find(case, mask).places["WT"]
    assert place.side == "left"
    assert place.nearest_mm == 0


def test_a_tumor_that_ends_at_the_midline_does_not_cross_it(make_tumor: MakeTumor) -> None:
    """Its nearest voxel's edge is 0 mm away, and none lies on the other side."""
    case, mask = make_tumor([(np.s_[8:14, 5:15, 2:8], Tissue.EDEMA)])
    found = find(case, mask)
    assert (found.places["WT"].nearest_mm, found.places["WT"].right_ml) == (0, 0)
    assert "on the patient's left, reaching the midline" in summary(found)
    case, mask = make_tumor([(np.s_[8:15, 5:15, 2:8], Tissue.EDEMA)])
    assert "on both sides, crossing the midline" in summary(find(case, mask))


def test_a_tumor_of_specks_has_no_parts_to_count(make_tumor: MakeTumor) -> None:
    """One voxel of 0.002 ml is not "0 separate parts"."""
    case, mask = make_tumor([(np.s_[8:9, 5:6, 2:3], Tissue.EDEMA)])
    assert "a tumor of 0.0 ml in specks under 0.05 ml, on" in summary(find(case, mask))


def test_parts_and_shares_by_hand(make_tumor: MakeTumor) -> None:
    """Corners join; specks are counted apart; a cavity is no tumor."""
    case, mask = make_tumor(
        [
            (np.s_[6:10, 5:9, 2:4], Tissue.EDEMA),
            (np.s_[10:14, 9:13, 4:6], Tissue.ENHANCING),
            (np.s_[20:21, 5:6, 2:3], Tissue.EDEMA),
            (np.s_[20:23, 14:17, 6:8], Tissue.CAVITY),
        ]
    )
    found = find(case, mask)
    assert [focus.volume_ml for focus in found.foci] == pytest.approx([64 * 2 / 1000])
    assert found.small_foci == 1
    assert mask[found.foci[0].center] != 0
    assert found.shares == pytest.approx({"edema": 33 / 65, "enhancing tumor": 32 / 65})
    assert found.tissues_ml["resection cavity"] == pytest.approx(18 * 2 / 1000)
    assert "51% edema, 49% enhancing tumor" in summary(found)


def test_an_empty_mask_has_no_place(make_tumor: MakeTumor) -> None:
    """And its summary says so."""
    case, mask = make_tumor([])
    found = find(case, mask)
    assert found.places == {}
    assert found.foci == ()
    assert summary(found) == "The mask holds no tumor."


def test_certainty_by_hand(make_tumor: MakeTumor) -> None:
    """Expected volume is the sum; unsure is what lies between the limits, both included."""
    case, _ = make_tumor([])
    maps = np.zeros((*case.shape, 3), np.float32)
    maps[0, 0, :4, 0] = (0.2, 0.25, 0.75, 0.8)
    found = certainty(maps, case)
    assert found["WT"].expected_ml == pytest.approx(2.0 * 2 / 1000)
    assert found["WT"].unsure_ml == pytest.approx(2 * 2 / 1000)
    assert found["ET"].expected_ml == 0


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (np.zeros((30, 20, 10, 2)), "have shape"),
        (np.full((30, 20, 10, 3), 1.5), "from 1.5 to 1.5"),
        (np.full((30, 20, 10, 3), np.nan), "from nan"),
    ],
)
def test_what_is_no_probability_is_refused(
    maps: NDArray[np.float64], message: str, make_tumor: MakeTumor
) -> None:
    """The message says what was found and expected."""
    with pytest.raises(CaseError, match=message):
        certainty(maps, make_tumor([])[0])
