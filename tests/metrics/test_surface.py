"""Surface distances against a brute force, MONAI, SimpleITK and numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import cdist

from napari_brats.metrics import nearest
from napari_brats.metrics.masks import MaskPair, bounding_box
from napari_brats.metrics.surface import (
    HD95_RULES,
    distances_between,
    hd95,
    surface_distances,
    surface_of,
)
from napari_brats.metrics.surfels import CORNERS, surfel_areas

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]


def surface_by_hand(mask: Mask) -> NDArray[np.int64]:
    """Return (N, 3) voxels of the mask that miss one of their six neighbors."""
    filled = {tuple(voxel) for voxel in np.argwhere(mask).tolist()}
    return np.array(
        [
            (x, y, z)
            for x, y, z in sorted(filled)
            if not {
                (x + 1, y, z), (x - 1, y, z), (x, y + 1, z),
                (x, y - 1, z), (x, y, z + 1), (x, y, z - 1),
            } <= filled
        ]
    ).reshape(-1, 3)  # fmt: skip


def distances_by_hand(
    prediction: Mask, reference: Mask, spacing: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all distances of each surface to the other, by comparing every pair."""
    table = cdist(surface_by_hand(prediction) * spacing, surface_by_hand(reference) * spacing)
    return table.min(axis=1), table.min(axis=0)


def test_distances_equal_a_brute_force(masks: tuple[Mask, Mask], spacing: Spacing) -> None:
    """Every single distance is exact, near and far, on any spacing, at the border too."""
    found = surface_distances(MaskPair.cropped(*masks, spacing))
    there, back = distances_by_hand(*masks, spacing)
    assert np.sort(found.prediction) == pytest.approx(np.sort(there), abs=1e-12)
    assert np.sort(found.reference) == pytest.approx(np.sort(back), abs=1e-12)
    both = np.concatenate((there, back))
    assert found.hausdorff == pytest.approx(both.max(), abs=1e-12)
    assert found.average == pytest.approx(both.mean(), abs=1e-12)
    assert found.hd95("pooled") == pytest.approx(np.percentile(both, 95), abs=1e-12)
    larger = max(np.percentile(there, 95), np.percentile(back, 95))
    assert found.hd95("directed") == pytest.approx(larger, abs=1e-12)


# MONAI 1.6 passes itself an argument that it has deprecated.
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
def test_agrees_with_monai(masks: tuple[Mask, Mask], spacing: Spacing) -> None:
    """HD95, Hausdorff, average distance and surface Dice equal MONAI's (single precision)."""
    import torch
    from monai.metrics import (
        compute_average_surface_distance,
        compute_hausdorff_distance,
        compute_surface_dice,
    )

    p, r = (torch.from_numpy(mask)[None, None].float() for mask in masks)
    options = {"include_background": True, "spacing": list(spacing)}
    found = surface_distances(MaskPair.cropped(*masks, spacing))
    expected = {
        "hausdorff": compute_hausdorff_distance(p, r, **options).item(),
        "average": compute_average_surface_distance(p, r, symmetric=True, **options).item(),
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-5), name
    by_monai = compute_hausdorff_distance(p, r, percentile=95, **options).item()
    assert hd95(*masks, spacing) == pytest.approx(by_monai, rel=1e-5)
    # A tolerance that no distance on these grids equals: single precision must not decide.
    dice = compute_surface_dice(p, r, [1.1], **options).item()
    assert found.nsd(1.1) == pytest.approx(dice, rel=1e-5)


def test_agrees_with_simpleitk(masks: tuple[Mask, Mask], spacing: Spacing) -> None:
    """The Hausdorff distance equals SimpleITK's between the two surfaces."""
    import SimpleITK as sitk

    images = []
    for mask in masks:
        # Its filter measures whole masks, so it is given surfaces, by its own contour filter.
        padded = np.pad(mask, 1).astype(np.uint8)
        image = sitk.GetImageFromArray(np.ascontiguousarray(padded.T))
        image.SetSpacing(spacing)
        contour = sitk.BinaryContourImageFilter()
        contour.SetFullyConnected(False)
        contour.SetForegroundValue(1)
        images.append(contour.Execute(image))
    measure = sitk.HausdorffDistanceImageFilter()
    measure.Execute(*images)
    found = surface_distances(MaskPair.cropped(*masks, spacing))
    assert found.hausdorff == pytest.approx(measure.GetHausdorffDistance(), rel=1e-5)


def surfels_by_hand(
    mask: Mask, spacing: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places in mm (N, 3) and areas (N,) where eight voxels meet and differ.

    The areas are looked up in MONAI's copy of DeepMind's table.
    """
    from monai.metrics.utils import get_code_to_measure_table

    table, kernel = get_code_to_measure_table(spacing)
    cubes = np.lib.stride_tricks.sliding_window_view(np.pad(mask, 1), (2, 2, 2))
    codes = (cubes * kernel.numpy().reshape(2, 2, 2)).sum(axis=(3, 4, 5)).astype(int)
    cut = (codes > 0) & (codes < 255)
    return np.argwhere(cut) * spacing, table.numpy()[codes[cut]].astype(np.float64)


def test_hd95_of_the_2023_script(masks: tuple[Mask, Mask], spacing: Spacing) -> None:
    """Area by area: the distance that 95 % of each surface's area keep, the larger of the two."""
    surfaces = [surfels_by_hand(mask, spacing) for mask in masks]
    table = cdist(surfaces[0][0], surfaces[1][0])
    directed = []
    for (_, areas), away in zip(surfaces, (table.min(axis=1), table.min(axis=0)), strict=True):
        order = np.argsort(away)
        covered = np.cumsum(areas[order]) / areas.sum()
        # Which of two elements ends the 95 % may hang on the last digit of an area.
        ends = np.searchsorted(covered, (0.95 - 1e-6, 0.95 + 1e-6))
        directed.append(away[order[np.minimum(ends, len(away) - 1)]])
    low, high = np.max(directed, axis=0)
    assert low - 1e-9 <= hd95(*masks, spacing, rule="surfels") <= high + 1e-9


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.5, 1.0, 3.0)])
def test_areas_equal_the_published_table(spacing_mm: Spacing) -> None:
    """All 256 ways to fill a cube have the area that DeepMind's table (in MONAI) gives them."""
    from monai.metrics.utils import get_code_to_measure_table

    table, kernel = get_code_to_measure_table(spacing_mm)
    weights = kernel.numpy().reshape(2, 2, 2)
    areas = surfel_areas(spacing_mm)
    for code in range(256):
        filled = [corner for bit, corner in enumerate(CORNERS) if code >> bit & 1]
        theirs = int(sum(weights[corner] for corner in filled))
        assert areas[code] == pytest.approx(float(table[theirs]), abs=1e-5)


@pytest.mark.parametrize("rule", HD95_RULES)
def test_bounds_change_no_percentile(
    masks: tuple[Mask, Mask], spacing: Spacing, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving out what is surely nearer gives the number that all distances give."""
    monkeypatch.setattr(nearest, "FEW", 0)
    pair = MaskPair.cropped(*masks, spacing)
    every = surface_distances(pair, HD95_RULES[rule].surface)
    assert hd95(*masks, spacing, rule=rule) == pytest.approx(every.hd95(rule), abs=1e-12)


@given(
    seed=st.integers(0, 10**6),
    apart=st.integers(0, 40),
    rule=st.sampled_from([*HD95_RULES]),
    spacing=st.sampled_from([(1.0, 1.0, 1.0), (0.5, 1.0, 3.0)]),
)
@settings(max_examples=15)
def test_large_surfaces_far_apart(seed: int, apart: int, rule: str, spacing: Spacing) -> None:
    """Masks with surfaces of thousands of voxels: exact percentiles and near shares."""
    rng = np.random.default_rng(seed)
    prediction, reference = np.zeros((2, 70, 25, 25), np.bool_)
    prediction[:25] = ndimage.binary_dilation(rng.random((25, 25, 25)) < 0.002, iterations=3)
    reference[apart : apart + 20, :20] = rng.random((20, 20, 25)) < 0.3
    pair = MaskPair.cropped(prediction, reference, spacing)
    kind = HD95_RULES[rule].surface
    surfaces = [surface_of(mask, pair, kind) for mask in (pair.prediction, pair.reference)]
    part, every = distances_between(*surfaces, pair, rule=rule), surface_distances(pair, kind)
    assert part.hd95(rule) == pytest.approx(every.hd95(rule), abs=1e-12)
    assert part.mean_nsd(min(spacing)) == every.mean_nsd(min(spacing))


def line(*at: int) -> Mask:
    """Return (24, 1, 1) with voxels at the given places."""
    mask = np.zeros((24, 1, 1), np.bool_)
    mask[list(at)] = True
    return mask


def test_the_rules_differ_as_computed_by_hand() -> None:
    """Twenty voxels in a row, one of them 4 mm away from the reference, which lacks it.

    Distances from the prediction: 19 times 0 and once 4; back: 19 times 0. The directed 95th
    percentile lies at place 18.05 of 0 to 19: 0.05 * 4 = 0.2 mm. Pooled, place 36.1 of 38
    has 0 mm.
    """
    prediction, reference = line(*range(19), 22), line(*range(19))
    assert hd95(prediction, reference, (1, 1, 1)) == pytest.approx(0.2)
    assert hd95(prediction, reference, (1, 1, 1), rule="pooled") == 0
    found = surface_distances(MaskPair.cropped(prediction, reference, (1, 1, 1)))
    assert found.hausdorff == 4
    assert found.average == pytest.approx(4 / 39)
    assert found.nsd(1) == pytest.approx(38 / 39)
    assert found.mean_nsd(1) == pytest.approx((19 / 20 + 1) / 2)


@pytest.mark.parametrize("rule", HD95_RULES)
def test_empty_masks(rule: str) -> None:
    """Empty in both: distance 0, NSD 1. Empty in one: infinite, NSD 0."""
    empty, some = line(), line(3)
    assert hd95(empty, empty, (1, 1, 1), rule=rule) == 0
    for pair in ((empty, some), (some, empty)):
        assert hd95(*pair, (1, 1, 1), rule=rule) == np.inf
        found = surface_distances(MaskPair.cropped(*pair, (1, 1, 1)), HD95_RULES[rule].surface)
        assert found.hausdorff == found.average == np.inf
        assert found.nsd() == found.mean_nsd(1) == 0
    both = surface_distances(MaskPair.cropped(empty, empty, (1, 1, 1)))
    assert (both.hausdorff, both.average, both.nsd(), both.mean_nsd(1)) == (0, 0, 1, 1)


@given(seed=st.integers(0, 10**6), share=st.floats(0.02, 0.9), rule=st.sampled_from([*HD95_RULES]))
@settings(max_examples=25)
def test_symmetric_and_independent_of_place_and_memory(seed: int, share: float, rule: str) -> None:
    """Exchanging, shifting, transposing and Fortran order change nothing."""
    rng = np.random.default_rng(seed)
    p, r = rng.random((2, 6, 5, 7)) < share
    spacing = (1.0, 2.0, 0.8)
    value = hd95(p, r, spacing, rule=rule)
    assert hd95(r, p, spacing, rule=rule) == value
    shifted = (np.pad(mask, ((2, 0), (0, 3), (1, 1))) for mask in (p, r))
    assert hd95(*shifted, spacing, rule=rule) == value
    fortran = (np.asfortranarray(mask) for mask in (p, r))
    assert hd95(*fortran, spacing, rule=rule) == value
    assert hd95(p.T, r.T, spacing[::-1], rule=rule) == pytest.approx(value)


def test_box_of_nothing_and_of_corners() -> None:
    """An empty mask has an empty box; the box holds the extreme voxels in either order."""
    mask = np.zeros((5, 6, 7), np.bool_)
    assert mask[bounding_box(mask)].size == 0
    mask[1, 5, 0] = mask[4, 2, 6] = True
    expected = (slice(1, 5), slice(2, 6), slice(0, 7))
    assert bounding_box(mask) == bounding_box(np.asfortranarray(mask)) == expected
