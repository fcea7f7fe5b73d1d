"""The overview picture: the right slice, the right way round, in the tables' colors."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.preprocessing.steps import Reorient
from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.workflows.figures import overview_figure, telling_slice

RAS = np.diag([1.0, 1.0, 2.0, 1.0])
ORIENTATIONS = ("RAS", "LPS", "PIR", "SLA", "AIL")


def make_case(
    *, orientation: str = "RAS", reference: bool = True
) -> tuple[Case, NDArray[np.uint8]]:
    """Return a brain with a bright spot at the front right, and a mask with a tumor there."""
    image = np.zeros((30, 40, 12), np.float32)
    image[5:25, 5:35, 1:11] = 100.0
    image[22:25, 32:35, 7] = 900.0
    mask = np.zeros(image.shape, np.uint8)
    mask[18:24, 26:34, 6:9] = Tissue.EDEMA
    mask[19:23, 28:33, 7] = Tissue.ENHANCING
    stack, affine, _ = Reorient(orientation).apply(np.stack([image, mask.astype(np.float32)]), RAS)
    tissues = stack[1].astype(np.uint8)
    images = dict.fromkeys(("t1", "t1ce", "t2", "flair"), stack[0])
    convention = LABEL_CONVENTIONS["brats2017-2021"]
    return Case(
        "case", "brats2021", convention, images, affine, tissues if reference else None, {}, None
    ), tissues


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_anterior_is_up_and_the_patients_right_on_the_left(orientation: str) -> None:
    """The front right spot lies in the upper left, however the file is stored."""
    case, tissues = make_case(orientation=orientation)
    cut = telling_slice(case, tissues)
    row, column = (axis.mean() for axis in np.nonzero(cut.images["flair"] == 900))
    rows, columns = cut.images["flair"].shape
    assert row < rows / 2
    assert column < columns / 2
    assert cut.number == 7


def test_the_slice_shows_all_regions() -> None:
    """The slice with edema and enhancing tumor wins over those with edema only."""
    case, tissues = make_case()
    cut = telling_slice(case, tissues)
    assert set(np.unique(cut.prediction)) == {0, Tissue.EDEMA, Tissue.ENHANCING}
    assert cut.reference is not None
    assert (cut.reference == cut.prediction).all()


def test_a_reference_without_prediction_still_decides() -> None:
    """What the network missed is the most telling."""
    case, tissues = make_case()
    assert telling_slice(case, np.zeros_like(tissues)).number == 7


def test_without_any_tumor_the_largest_slice_is_shown() -> None:
    """An empty prediction without reference is drawn on the slice with the most head."""
    case, tissues = make_case(reference=False)
    cut = telling_slice(case, np.zeros_like(tissues))
    assert cut.reference is None
    assert (cut.images["t1"] > 0).sum() == 20 * 30


def test_spacing_follows_the_displayed_axes() -> None:
    """Anisotropic voxels keep their shape: spacing is given by rows and columns."""
    case, tissues = make_case(orientation="SLA")
    assert telling_slice(case, tissues).spacing_mm == (1.0, 1.0)


@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_a_png_is_written(tmp_path: Path, *, reference: bool, empty: bool) -> None:
    """Every combination of tumor and reference gives a picture of the same size."""
    case, tissues = make_case(reference=reference)
    path = overview_figure(case, tissues * (not empty), tmp_path / "a" / "figure.png")
    picture = imread(path)
    assert picture.shape == (1140, 2100, 4)
    assert list(path.parent.iterdir()) == [path]


def test_a_single_modality_suffices(tmp_path: Path) -> None:
    """Patients of MEN-RT have T1ce only."""
    case, tissues = make_case()
    only = Case(
        case.case_id, "brats-men-rt", case.convention, {"t1ce": case.images["t1ce"]},
        case.affine, None, {}, None,
    )  # fmt: skip
    assert overview_figure(only, tissues, tmp_path / "figure.png").is_file()


def test_drawing_leaves_matplotlib_alone(tmp_path: Path) -> None:
    """A library must not change its user's backend."""
    before = mpl.get_backend(auto_select=False)
    case, tissues = make_case()
    overview_figure(case, tissues, tmp_path / "figure.png")
    assert mpl.get_backend(auto_select=False) == before
