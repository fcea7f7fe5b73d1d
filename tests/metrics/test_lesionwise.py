"""The lesion-wise rules against plain references written here, and numbers worked out by hand."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.metrics.lesions import Lesions
from napari_brats.metrics.lesionwise import (
    LesionScore,
    lesionwise_2023,
    lesionwise_2026,
    rule_2023,
    rule_2026,
)
from napari_brats.metrics.masks import MaskPair
from napari_brats.metrics.surface import hd95, surface_distances
from napari_brats.metrics.tasks import TASKS, Task, task_of
from napari_brats.regions import LABEL_CONVENTIONS, SUBREGIONS

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
UNIT = (1.0, 1.0, 1.0)
# Numbers small enough for the small masks of these tests to fall on both sides of them.
TINY = Task("GLI", "", (), (), dilations=1, ignored_mm3=3)
TINY_MET = Task("MET", "", (), (), dilations=1, ignored_mm3=2, least_mm3=4)


def score_2023(p: Mask, r: Mask, task: Task, spacing: Spacing = UNIT) -> LesionScore:
    pair = MaskPair.cropped(p, r, spacing)
    return lesionwise_2023(pair, Lesions.of(pair.prediction), task)


def score_2026(p: Mask, r: Mask, task: Task, spacing: Spacing = UNIT) -> LesionScore:
    pair = MaskPair.cropped(p, r, spacing)
    return lesionwise_2026(pair, Lesions.of(pair.prediction), task)


def parts(mask: Mask) -> list[Mask]:
    """Return the 26-connected parts of a mask, each as a mask of its own."""
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    return [labels == number for number in range(1, count + 1)]


def dice(p: Mask, r: Mask) -> float:
    return float(2 * (p & r).sum() / (p.sum() + r.sum()))


def plain_2023(p: Mask, r: Mask, task: Task, spacing: Spacing) -> tuple[float, float]:
    """Follow the rule's words on whole volumes, lesion by lesion."""
    structure = ndimage.generate_binary_structure(3, 2)
    grown = ndimage.binary_dilation(r, structure, iterations=task.dilations)
    predicted = parts(p)
    found: set[int] = set()
    dices, distances = [], []
    for area in parts(grown):
        lesion = r & area
        reach = ndimage.binary_dilation(lesion, structure, iterations=task.dilations)
        near = [number for number, part in enumerate(predicted) if (part & reach).any()]
        found |= set(near)
        if lesion.sum() * np.prod(spacing) <= task.ignored_mm3:
            continue
        union = np.any([predicted[number] for number in near], axis=0) if near else r & False
        dices.append(dice(union, lesion))
        distances.append(hd95(union, lesion, spacing, rule="surfels") if near else 374.0)
    false = len(predicted) - len(found)
    total = len(dices) + false
    if not total:
        return 1.0, 0.0
    return sum(dices) / total, (sum(distances) + 374 * false) / total


def best_matching(gains: NDArray[np.float64]) -> dict[int, int]:
    """Try every way to give each row one column or none, each column once; the best sum wins."""
    rows, columns = gains.shape
    best, choice = -1.0, {}
    for way in product(range(-1, columns), repeat=rows):
        used = [column for column in way if column >= 0]
        taken = {row: column for row, column in enumerate(way) if column >= 0}
        if len(set(used)) < len(used) or any(gains[pair] <= 0 for pair in taken.items()):
            continue
        total = sum(gains[pair] for pair in taken.items())
        if total > best:
            best, choice = total, taken
    return choice


def plain_2026(
    p: Mask, r: Mask, task: Task, spacing: Spacing
) -> tuple[float | None, float | None, float | None]:
    """Follow the rule's words with every matching tried."""
    lesions, predicted = parts(r), parts(p)
    gains = np.array([[dice(part, lesion) for part in predicted] for lesion in lesions])
    matching = best_matching(gains.reshape(len(lesions), len(predicted)))
    rows = []
    for number, lesion in enumerate(lesions):
        large = task.least_mm3 is None or lesion.sum() * np.prod(spacing) >= task.least_mm3
        if number in matching:
            part = predicted[matching[number]]
            measured = surface_distances(MaskPair.cropped(part, lesion, spacing))
            numbers = (
                dice(part, lesion),
                hd95(part, lesion, spacing, rule="pooled"),
                measured.mean_nsd(min(spacing)),
            )
            rows.append((large, numbers))
        elif task.least_mm3 is not None:
            rows.append((large, (0.0, 373.0, 0.0)))
    if task.least_mm3 is not None:
        if not any(large for large, _ in rows):
            return None, None, None
        rows += [(True, (0.0, 373.0, 0.0))] * (len(predicted) - len(matching))
    elif not rows:
        return (0.0, 373.0, 0.0) if lesions or predicted else (None, None, None)
    kept = [numbers for large, numbers in rows if large]
    return tuple(np.mean(kept, axis=0))


@pytest.mark.parametrize("task", [TINY, TASKS["GLI"], TASKS["MET"]], ids=lambda task: task.name)
def test_2023_follows_its_words(masks: tuple[Mask, Mask], spacing: Spacing, task: Task) -> None:
    """Dice and HD95 equal a plain reference, on any spacing and at the border."""
    found = score_2023(*masks, task, spacing)
    expected = plain_2023(*masks, task, spacing)
    assert (found.dice, found.hd95_mm) == pytest.approx(expected)


def few_islands(seed: int) -> tuple[Mask, Mask]:
    """Return masks with up to four parts each, some of them overlapping."""
    rng = np.random.default_rng(seed)
    pair = np.zeros((2, 14, 8, 8), np.bool_)
    for mask in pair:
        for _ in range(4):
            x, y, z = rng.integers(0, (12, 6, 6))
            dx, dy, dz = rng.integers(1, 4, 3)
            mask[x : x + dx, y : y + dy, z : z + dz] = True
    return pair[0], pair[1]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("task", [TINY, TINY_MET], ids=lambda task: task.name)
def test_both_rules_on_random_islands(seed: int, task: Task) -> None:
    """Matched, missed, false and small lesions in one case: equal to the plain references."""
    p, r = few_islands(seed)
    found = score_2026(p, r, task, (1.0, 1.0, 2.0))
    expected = plain_2026(p, r, task, (1.0, 1.0, 2.0))
    assert (found.dice is None) == (expected[0] is None)
    if found.dice is not None:
        assert (found.dice, found.hd95_mm, found.nsd) == pytest.approx(expected)
    older = score_2023(p, r, task, (1.0, 1.0, 2.0))
    expected = plain_2023(p, r, task, (1.0, 1.0, 2.0))
    assert (older.dice, older.hd95_mm) == pytest.approx(expected)


def boxes(*corners: tuple[int, int, int], size: int = 2) -> Mask:
    """Return (30, 12, 12) with a cube at each corner."""
    mask = np.zeros((30, 12, 12), np.bool_)
    for x, y, z in corners:
        mask[x : x + size, y : y + size, z : z + size] = True
    return mask


def test_what_each_generation_makes_of_one_case() -> None:
    """Golden case: cubes of 8 mm3; two that nearly touch, one missed, one false.

    Reference: cubes at x = 2, 6 (2 mm between them) and 14. Prediction: the cube at x = 2,
    shifted by 1, and one at x = 24. With one dilation, 2023 takes the first two for one
    lesion of 16 voxels, which shares 4 of 8 predicted voxels: Dice 8 / 24. 2026 pairs the
    first cube alone: Dice 8 / 16.
    """
    reference = boxes((2, 4, 4), (6, 4, 4), (14, 4, 4))
    prediction = boxes((3, 4, 4), (24, 4, 4))
    older = score_2023(prediction, reference, TINY)
    assert [row.status for row in older.lesions] == ["matched", "missed", "false positive"]
    assert older.dice == pytest.approx((1 / 3 + 0 + 0) / 3)
    assert older.lesions[0].volume_ml == pytest.approx(0.016)
    assert [row.hd95_mm for row in older.lesions[1:]] == [374, 374]
    newer = score_2026(prediction, reference, TINY)
    assert [newer.count(s) for s in ("matched", "missed", "false positive")] == [1, 2, 1]
    assert (newer.dice, newer.hd95_mm, newer.nsd) == (0.5, 1.0, 1.0)
    strict = score_2026(prediction, reference, TINY_MET)
    assert strict.dice == pytest.approx(0.5 / 4)
    assert strict.hd95_mm == pytest.approx((1 + 3 * 373) / 4)


def test_small_lesions_do_not_count_but_excuse_their_prediction() -> None:
    """2023: a lesion up to the limit leaves the mean, and what found it is no false positive."""
    reference = boxes((2, 4, 4), (20, 4, 4))
    limit = Task("GLI", "", (), (), dilations=1, ignored_mm3=8)
    score = score_2023(reference, reference, limit)
    assert (score.dice, score.hd95_mm) == (1.0, 0.0)
    assert score.count("ignored") == 2
    assert score_2023(boxes((2, 4, 4)), reference, limit).dice == 1.0
    assert score_2023(boxes((11, 4, 4)), reference, limit).dice == 0.0


def test_empty_masks() -> None:
    """2023: nothing to count is Dice 1 and HD95 0. 2026: no score. A penalty if one is empty."""
    empty, some = boxes(), boxes((2, 4, 4))
    assert (score_2023(empty, empty, TINY).dice, score_2023(empty, empty, TINY).hd95_mm) == (1, 0)
    for task in (TINY, TINY_MET):
        assert score_2026(empty, empty, task) == LesionScore(None, None, None, ())
        missed = score_2026(empty, some, task)
        assert (missed.dice, missed.hd95_mm, missed.nsd) == (0, 373, 0)
    for pair in ((empty, some), (some, empty)):
        score = score_2023(*pair, TINY)
        assert (score.dice, score.hd95_mm) == (0, 374)
    alone = score_2026(some, empty, TINY)
    assert (alone.dice, alone.hd95_mm, alone.nsd) == (0, 373, 0)
    assert score_2026(some, empty, TINY_MET).dice is None


def test_a_row_leads_into_its_lesion() -> None:
    """The center is a voxel of the lesion in the whole volume, also where the lesion is hollow."""
    shell = boxes((20, 3, 3), size=7)
    shell[21:26, 4:9, 4:9] = False
    for row in (
        score_2026(boxes(), shell, TINY).lesions[0],
        score_2023(shell, boxes(), TINY).lesions[0],
    ):
        assert shell[row.center]
        assert row.volume_ml == pytest.approx(shell.sum() / 1000)
    cube = boxes((20, 3, 3), size=3)
    assert score_2026(cube, cube, TINY).lesions[0].center == (21, 4, 4)


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_task_says_its_rules(task: Task) -> None:
    """The words carry the task's own numbers, and its regions exist."""
    assert f"after {task.dilations} dilation" in rule_2023(task)
    assert f"up to {task.ignored_mm3:g} mm3" in rule_2023(task)
    assert ("matched lesions" in rule_2026(task)) == (task.least_mm3 is None)
    assert set(task.subregions) <= set(SUBREGIONS)


def test_every_convention_has_one_task() -> None:
    """An edition's masks are scored by the rules of its own task."""
    named = [name for task in TASKS.values() for name in task.conventions]
    assert sorted(named) == sorted(LABEL_CONVENTIONS)
    assert task_of("brats-ped") == TASKS["PED"]
    # There is no cavity before the operation, and no code for one.
    assert task_of("brats2024-gli").subregions == ("NETC", "SNFH", "RC")
    assert task_of("brats2017-2021").subregions == ("NETC", "SNFH")
