"""Everything about one case: the parts fit together, and with independent programs."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.errors import CaseError, LabelError
from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.scores import score_regions
from napari_brats.metrics.surface import hd95
from napari_brats.metrics.tasks import TASKS
from napari_brats.regions import REGIONS, Tissue, region_mask, tissues_from_regions

SPACING = (1.0, 0.8, 2.0)
VOXEL_ML = 1.6 / 1000


@pytest.fixture
def tissues(masks: tuple[NDArray[np.bool_], ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (prediction, reference) with nested regions and a cavity."""
    pair = []
    for seed, mask in enumerate(masks):
        kind = np.random.default_rng(seed).random(mask.shape)
        found = tissues_from_regions(np.stack([mask, mask & (kind < 0.6), mask & (kind < 0.4)]))
        found[mask & (kind > 0.95)] = Tissue.CAVITY
        pair.append(np.asfortranarray(found))
    return pair[0], pair[1]


def test_regions_equal_the_single_metrics(
    tissues: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    """Cropping changes nothing: counts are those of the whole volume, HD95 that of the masks."""
    found = score_case(*tissues, SPACING, TASKS["GLI"])
    live = score_regions(joint_counts(*tissues), VOXEL_ML)
    for name, score in found.regions.items():
        for key, value in live[name].to_json().items():
            assert score.to_json()[key] == pytest.approx(value), key
        p, r = (region_mask(mask, name) for mask in tissues)
        assert score.hd95_mm == pytest.approx(hd95(p, r, SPACING))
    assert set(found.subregions) == {"NETC", "SNFH", "RC"}


def test_overlap_agrees_with_simpleitk(
    tissues: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    """Dice, Jaccard, sensitivity and precision equal SimpleITK's overlap measures."""
    import SimpleITK as sitk

    found = score_case(*tissues, SPACING, TASKS["GLI"]).regions
    for name in REGIONS:
        p, r = (region_mask(mask, name).astype(np.uint8) for mask in tissues)
        measure = sitk.LabelOverlapMeasuresImageFilter()
        measure.Execute(sitk.GetImageFromArray(p), sitk.GetImageFromArray(r))
        if not (p.any() and r.any()):
            continue
        assert found[name].dice == pytest.approx(measure.GetDiceCoefficient())
        assert found[name].jaccard == pytest.approx(measure.GetJaccardCoefficient())
        missed, false = measure.GetFalseNegativeError(), measure.GetFalseDiscoveryRate()
        assert found[name].sensitivity == pytest.approx(1 - missed)
        assert found[name].precision == pytest.approx(1 - false)


def small(code: int, at: int = 2) -> NDArray[np.uint8]:
    """Return (8, 6, 6) with a cube of one tissue."""
    mask = np.zeros((8, 6, 6), np.uint8)
    mask[at : at + 4, 1:5, 1:5] = code
    return mask


@pytest.mark.parametrize("task", TASKS)
def test_every_task_gives_plain_json(task: str) -> None:
    """Undefined numbers are null, the keys are there, and the rules say so in words."""
    for pair in ((small(3), small(0)), (small(0), small(0)), (small(3), small(1, 3))):
        content = score_case(*pair, (1, 1, 1), TASKS[task]).to_json()
        content = json.loads(json.dumps(content, allow_nan=False))
        assert list(content["regions"]) == list(content["lesionwise_2023"]) == ["WT", "TC", "ET"]
        assert set(content["regions"]["ET"]) >= {
            "dice", "jaccard", "sensitivity", "specificity", "precision", "hd95_mm",
            "hausdorff_mm", "assd_mm", "nsd", "volume_ml", "reference_ml",
        }  # fmt: skip
        assert list(content["lesionwise_2026"]) == list(TASKS[task].regions)
        assert content["rules"]["task"].startswith(task)
    missed = score_case(small(0), small(3), (1, 1, 1), TASKS[task]).to_json()
    assert missed["regions"]["ET"]["hd95_mm"] is None
    assert "null in JSON" in missed["rules"]["empty"]


def test_every_tissue_is_scored() -> None:
    """What the scripts leave out is scored as a whole, and has no lesion-wise score."""
    scores = score_case(small(2), small(2, 3), (1, 1, 1), TASKS["MET"])
    assert list(scores.subregions) == ["RC", "NETC", "SNFH"]
    assert scores.subregions["SNFH"].dice == pytest.approx(0.75)
    rows = scores.rows()
    assert rows["SNFH"]["lesionwise_2026_dice"] is None
    assert rows["WT"]["lesionwise_2026_dice"] == pytest.approx(0.75)
    assert list(scores.lesionwise_2026) == ["WT", "TC", "ET", "RC"]


def test_the_rule_of_hd95_can_be_chosen() -> None:
    """A cube moved by one voxel: the rules differ, and the output says which was taken."""
    found = {
        rule: score_case(small(3), small(3, 3), (1, 1, 1), TASKS["GLI"], hd95=rule)
        for rule in ("directed", "pooled", "surfels")
    }
    for rule, scores in found.items():
        masks = (small(3) == 3, small(3, 3) == 3)
        assert scores.regions["ET"].hd95_mm == hd95(*masks, (1, 1, 1), rule=rule)
        assert scores.rules["hd95_mm"].startswith(rule)


def test_what_cannot_be_compared_is_refused() -> None:
    """Other shapes and codes that are no tissue, inside and outside of the tumor's box."""
    with pytest.raises(CaseError, match="one grid"):
        score_case(small(3), small(3)[:-1], (1, 1, 1), TASKS["GLI"])
    with pytest.raises(LabelError, match="code 9"):
        score_case(small(9), small(3), (1, 1, 1), TASKS["GLI"])
