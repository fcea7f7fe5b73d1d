"""Agreement of several readers, against published figures and identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_brats.errors import CaseError
from napari_brats.metrics.agreement import (
    agreement,
    class_kappa,
    count_votes,
    fleiss_kappa,
    icc,
)
from napari_brats.regions import Tissue

# The table of the textbooks: 10 subjects, 14 raters, 5 categories; kappa is 0.210.
TEXTBOOK = np.array([
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip
# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


def votes_of(table: np.ndarray) -> list[np.ndarray]:
    raters = int(table[0].sum())
    return [np.bincount(column, minlength=raters + 1) for column in table.T]


def test_textbook_kappa() -> None:
    """Fleiss' kappa of the textbook's table: P is 0.378, Pe 0.213, kappa 0.210."""
    value = fleiss_kappa(votes_of(TEXTBOOK))
    assert value == pytest.approx(0.20993, abs=5e-6)


def test_overall_is_the_weighted_mean_of_the_classes() -> None:
    """Fleiss 1971: the overall kappa is the mean of the classes', weighted with p (1 - p)."""
    votes = votes_of(TEXTBOOK)
    shares = TEXTBOOK.sum(axis=0) / TEXTBOOK.sum()
    weights = shares * (1 - shares)
    classes = [class_kappa(row) for row in votes]
    mean = np.dot(weights, np.array(classes, float)) / weights.sum()
    assert fleiss_kappa(votes) == pytest.approx(mean)


def test_class_kappa_by_hand() -> None:
    """Three raters, four voxels with 0, 1, 2 and 3 votes: p = 1/2, kappa = 1 - 4 / (12*2/4)."""
    assert class_kappa(np.array([1, 1, 1, 1])) == pytest.approx(1 - 4 / 6)
    assert class_kappa(np.array([4, 0, 0, 0])) is None
    assert class_kappa(np.array([0, 0, 0, 4])) is None
    assert fleiss_kappa([np.array([4, 0, 0]), np.array([0, 0, 4])]) is None


def test_published_icc() -> None:
    """Shrout and Fleiss 1979, table 4: ICC(2,1) is 0.29."""
    assert icc(SHROUT_FLEISS) == pytest.approx(0.29, abs=0.005)


def test_icc_extremes() -> None:
    """The same numbers from all readers: 1; one reader, one case or no spread: none."""
    assert icc([[1, 1], [5, 5], [9, 9]]) == pytest.approx(1)
    # A reader who always sees 10 ml more does not agree absolutely.
    assert icc([[1, 11], [5, 15], [9, 19]]) < 0.5
    for table in ([[1, 2]], [[1], [2]], [[3, 3], [3, 3]]):
        assert icc(table) is None


MASK = arrays.arrays(np.uint8, (4, 3, 2), elements=st.integers(0, 3))


@settings(max_examples=40)
@given(first=MASK, second=MASK)
def test_two_readers_kappa_becomes_dice(first: np.ndarray, second: np.ndarray) -> None:
    """With ever more background, two readers' kappa of a class goes to its Dice."""
    votes = count_votes([first == 3, second == 3], 10**9)
    both = int((first == 3).sum() + (second == 3).sum())
    if both:
        dice = 2 * int(((first == 3) & (second == 3)).sum()) / both
        assert class_kappa(votes) == pytest.approx(dice, abs=1e-6)


@settings(max_examples=20)
@given(masks=st.lists(MASK, min_size=2, max_size=4), data=st.data())
def test_order_does_not_matter(masks: list[np.ndarray], data: st.DataObject) -> None:
    """Readers in another order give the same kappa and the same Dice of each pair."""
    order = data.draw(st.permutations(range(len(masks))))
    one, other = agreement(masks, 1.0), agreement([masks[at] for at in order], 1.0)
    assert one.kappa == pytest.approx(other.kappa)
    assert one.region_kappa == pytest.approx(other.region_kappa)
    for name, matrix in one.dice.items():
        assert np.allclose(matrix[np.ix_(order, order)], other.dice[name])
        assert np.allclose(matrix, matrix.T)


def test_all_of_one_case() -> None:
    """Dice, kappa and volumes of three masks, counted by hand; the box changes nothing."""
    masks = np.zeros((3, 6, 6, 6), np.uint8)
    masks[0, 2, 2, 1:5] = Tissue.ENHANCING
    masks[1, 2, 2, 1:5] = Tissue.ENHANCING
    masks[2, 2, 2, 3:5] = Tissue.ENHANCING
    found = agreement(list(masks), 0.5)
    assert found.volumes_ml["WT"] == (2.0, 2.0, 1.0)
    assert found.dice["ET"][0].tolist() == pytest.approx([1, 1, 2 / 3])
    assert found.mean_dice("ET") == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    # 10 of 648 ratings; two voxels where the vote is 2 to 1.
    share = 10 / 648
    by_hand = 1 - 2 * 2 * 1 / (648 * 2 * share * (1 - share))
    assert found.region_kappa["ET"] == pytest.approx(by_hand)
    assert found.tissue_kappa[Tissue.BACKGROUND] == pytest.approx(by_hand)
    assert found.kappa == pytest.approx(by_hand)
    assert set(found.tissue_kappa) == {Tissue.BACKGROUND, Tissue.ENHANCING}


def test_empty_masks() -> None:
    """Nobody sees a tumor: Dice 1 by the rule for empty regions, and no kappa."""
    found = agreement([np.zeros((2, 2, 2), np.uint8)] * 2, 1.0)
    assert found.mean_dice("WT") == 1
    assert found.kappa is None
    assert found.region_kappa == {"WT": None, "TC": None, "ET": None}


def test_mistakes() -> None:
    """One mask, or two shapes, are refused."""
    mask = np.zeros((2, 2, 2), np.uint8)
    with pytest.raises(CaseError, match="two or more"):
        agreement([mask], 1.0)
    with pytest.raises(CaseError, match="shapes"):
        agreement([mask, mask[:1]], 1.0)
