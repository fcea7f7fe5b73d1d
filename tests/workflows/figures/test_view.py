"""Slices: the right one, the right way round."""

from collections.abc import Callable

import numpy as np
import pytest

from napari_brats.regions import Tissue
from napari_brats.workflows.figures.view import PLANES, View
from napari_brats.workflows.subject import Subject

MakeSubject = Callable[..., Subject]
ORIENTATIONS = ("RAS", "LPS", "PIR", "SLA", "AIL")


def view_of(subject: Subject) -> View:
    return View.of(subject.case, subject.masks)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_slices_stand_upright(orientation: str, make_subject: MakeSubject) -> None:
    """Front up in axial slices, head up in the others, the patient's right on the left."""
    view = view_of(make_subject(orientation))
    numbers = {"axial": 7, "coronal": 33, "sagittal": 23}
    for plane in PLANES:
        index = view.head.shape[PLANES[plane]] - 1 - numbers[plane]
        cut = view.cut(index, plane)
        row, column = (axis.mean() for axis in np.nonzero(cut.images["flair"] == 900))
        rows, columns = cut.mask.shape
        assert row < rows / 2
        assert column < columns / 2
        assert cut.number == numbers[plane]
    assert view.cut(view.telling()).letters == {
        "top": "A", "bottom": "P", "left": "R", "right": "L",
    }  # fmt: skip


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_slice_shows_all_regions(orientation: str, make_subject: MakeSubject) -> None:
    """The slice with edema and enhancing tumor wins over those with edema only."""
    view = view_of(make_subject(orientation))
    cut = view.cut(view.telling())
    assert cut.number == 7
    assert set(np.unique(cut.mask)) == {0, Tissue.EDEMA, Tissue.ENHANCING}
    assert (cut.reference == cut.mask).all()


def test_a_reference_without_prediction_still_decides(make_subject: MakeSubject) -> None:
    """What the network missed is the most telling."""
    view = view_of(make_subject(empty=True))
    assert view.cut(view.telling()).number == 7


def test_without_any_tumor_the_largest_slice_is_shown(make_subject: MakeSubject) -> None:
    """An empty prediction without reference is drawn on the slice with the most head."""
    view = view_of(make_subject(reference=False, empty=True))
    cut = view.cut(view.telling())
    assert cut.reference is None
    assert (cut.images["t1"] > 0).sum() == 20 * 30
    assert len(view.spread(4)) == 4
    assert view.tumor_box == view.head_box


def test_spacing_follows_the_displayed_axes(make_subject: MakeSubject) -> None:
    """Anisotropic voxels keep their shape: spacing is given by rows and columns."""
    view = view_of(make_subject("SLA"))
    assert view.cut(5).spacing_mm == (1.0, 1.0)
    assert view.cut(5, "coronal").spacing_mm == (2.0, 1.0)


def test_random_slices_follow_the_seed(make_subject: MakeSubject) -> None:
    """The same seed, the same slices; all through the tumor."""
    view = view_of(make_subject())
    assert view.drawn(2, 3) == view.drawn(2, 3)
    assert {tuple(view.drawn(1, seed)) for seed in range(20)} == {(3,), (4,), (5,)}
    assert view.drawn(9, 0) == [3, 4, 5]
