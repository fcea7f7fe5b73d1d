"""Scores per region, and the rule for empty regions."""

import json

import numpy as np
import pytest

from napari_brats.metrics.overlap import joint_counts, tissue_counts
from napari_brats.metrics.scores import EMPTY_RULE, RegionScore, region_volumes, score_regions
from napari_brats.regions import REGIONS, Tissue

EMPTY = np.zeros(20, np.uint8)
SOME = np.where(np.arange(20) < 5, np.uint8(Tissue.ENHANCING), np.uint8(0))


def test_both_empty_scores_one() -> None:
    """A tumor that is not there and was not claimed is a full success."""
    for score in score_regions(joint_counts(EMPTY, EMPTY), 0.001).values():
        assert score == RegionScore(1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("prediction", "reference"), [(SOME, EMPTY), (EMPTY, SOME)])
def test_one_empty_scores_zero(
    prediction: np.ndarray[tuple[int], np.dtype[np.uint8]],
    reference: np.ndarray[tuple[int], np.dtype[np.uint8]],
) -> None:
    """A false alarm and a missed tumor both score 0 in Dice, sensitivity and precision."""
    for score in score_regions(joint_counts(prediction, reference), 0.001).values():
        assert (score.dice, score.jaccard, score.sensitivity, score.precision) == (0, 0, 0, 0)


def test_scores_computed_by_hand() -> None:
    """Five voxels predicted, four expected, three in common."""
    reference = np.where((np.arange(20) >= 2) & (np.arange(20) < 6), np.uint8(3), np.uint8(0))
    score = score_regions(joint_counts(SOME, reference), 0.5)["ET"]
    assert score == RegionScore(
        dice=pytest.approx(6 / 9),
        jaccard=0.5,
        sensitivity=0.75,
        specificity=pytest.approx(14 / 16),
        precision=0.6,
        volume_ml=2.5,
        reference_ml=2.0,
    )
    assert score.volume_difference_ml == 0.5


def test_regions_come_in_table_order_and_survive_json() -> None:
    """The keys are WT, TC, ET and every number is plain."""
    scores = score_regions(joint_counts(SOME, SOME), 0.001)
    assert list(scores) == list(REGIONS) == ["WT", "TC", "ET"]
    assert json.loads(json.dumps({name: score.to_json() for name, score in scores.items()}))


def test_a_cavity_belongs_to_no_region() -> None:
    """Resected tissue is neither tumor nor core."""
    cavity = np.full(4, Tissue.CAVITY, np.uint8)
    assert set(region_volumes(tissue_counts(cavity), 1.0).values()) == {0.0}


def test_volumes_without_a_reference() -> None:
    """Milliliters follow from one mask's counts, nested as the regions are."""
    mask = np.array([0, 1, 2, 2, 3], np.uint8)
    assert region_volumes(tissue_counts(mask), 2.0) == {"WT": 8.0, "TC": 4.0, "ET": 2.0}


def test_the_rule_is_one_sentence_to_show() -> None:
    """What a reader needs to know beside the number is said in one line."""
    assert "\n" not in EMPTY_RULE
    assert "empty in both" in EMPTY_RULE
