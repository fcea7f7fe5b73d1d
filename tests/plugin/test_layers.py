"""Layer tuples: what napari is given."""

import subprocess
import sys

import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.plugin.layers import (
    brain_contrast,
    case_layers,
    mask_layer,
    tissue_appearance,
)
from napari_brats.plugin.tags import IMAGE, MASK, REFERENCE, tag_of
from napari_brats.regions import TISSUE_COLORS, TISSUE_TITLES


@pytest.fixture
def case(tmp_path, make_patient_folder):
    return load_case(make_patient_folder(tmp_path))


def test_four_images_and_the_reference(case):
    """Lowest first: T2, T1, T1ce, FLAIR, reference; only FLAIR of the images is visible."""
    layers = case_layers(case)
    assert [kind for _, _, kind in layers] == ["image"] * 4 + ["labels"]
    names = [keywords["name"].split()[0] for _, keywords, _ in layers]
    assert names == ["T2", "T1", "T1ce", "FLAIR", "reference"]
    assert [keywords["visible"] for _, keywords, _ in layers[:4]] == [False, False, False, True]


def test_geometry_on_every_layer(case):
    """Scale, units in mm, axis labels and the true affine stand on all layers."""
    for data, keywords, _ in case_layers(case):
        assert data.shape == (18, 22, 20)
        assert data.flags.c_contiguous
        assert keywords["units"] == ("mm",) * 3
        assert keywords["scale"] == (1.0, 1.0, 1.0)
        assert keywords["axis_labels"] == ("S-I", "A-P", "R-L")
        np.testing.assert_array_equal(keywords["metadata"]["affine"], case.affine)
        assert keywords["metadata"]["case_id"] == case.case_id


def test_tags(case):
    """Each layer knows its part and its file; a mask has none until it is saved."""
    tags = [tag_of(keywords["metadata"]) for _, keywords, _ in case_layers(case)]
    assert [tag.role for tag in tags] == [IMAGE] * 4 + [REFERENCE]
    assert tags[3].path == case.image_paths["flair"]
    assert tags[4].path == case.reference_path
    assert case.reference_path in tags[0].sources
    mask = mask_layer(case, np.zeros(case.shape, np.uint8), "net")
    assert tag_of(mask[1]["metadata"]).role == MASK
    assert mask[1]["metadata"]["path"] is None
    assert tag_of({}) is None


def test_the_mask_is_a_copy(case):
    """Painting on the layer leaves the array it was made from alone."""
    tissues = np.zeros(case.shape, np.uint8)
    data, _, _ = mask_layer(case, tissues, "net")
    data[:] = 1
    assert not tissues.any()


def test_without_flair_another_image_is_seen(tmp_path, make_patient_folder):
    """A patient without FLAIR and reference shows its uppermost image."""
    folder = make_patient_folder(tmp_path, modalities=("t1", "t2"), reference=False)
    layers = case_layers(load_case(folder))
    assert len(layers) == 2
    assert sum(keywords["visible"] for _, keywords, _ in layers) == 1


def test_tissues_have_colors_and_names():
    """Colors and names come from the tissue table; the background is transparent."""
    appearance = tissue_appearance()
    for tissue, color in TISSUE_COLORS.items():
        assert appearance["colormap"][int(tissue)] == color
    assert appearance["colormap"][0] == "transparent"
    names = dict(
        zip(appearance["features"]["index"], appearance["features"]["tissue"], strict=True)
    )
    assert names == {int(tissue): title for tissue, title in TISSUE_TITLES.items()}


def test_contrast_of_an_empty_image():
    """No brain: limits are still in order."""
    assert brain_contrast(np.zeros((3, 3, 3))) == (0.0, 1.0)


@pytest.mark.parametrize("value", [5.0, -5.0])
def test_contrast_of_a_constant_image(value):
    """One intensity: limits are still in order."""
    low, high = brain_contrast(np.full((3, 3, 3), value))
    assert low < high


def test_contrast_ignores_the_background():
    """Percentiles are taken over the brain alone."""
    image = np.zeros(2000)
    image[:1000] = np.arange(1, 1001)
    low, high = brain_contrast(image)
    assert low == pytest.approx(10.99)
    assert high == pytest.approx(995.005)


def test_no_window_and_no_torch():
    """The plugin's side of napari imports neither napari, Qt nor torch."""
    code = (
        "import sys, napari_brats.plugin.reader, napari_brats.plugin.writer, "
        "napari_brats.plugin.sample_data\n"
        "print([m for m in ('napari', 'qtpy', 'torch', 'magicgui') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
