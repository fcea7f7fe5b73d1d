"""Lesion-wise scores by the rules of BraTS 2023 and of BraTS 2026.

The two agree in little but the name. 2023 joins reference lesions that nearly touch and
compares each with all predicted parts near it; 2026 pairs lesions one to one. `RULES` says
both in words, and every score carries its rows, so that a number can be traced to lesions.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from napari_brats.metrics.lesions import (
    FALSE,
    IGNORED,
    MATCHED,
    MISSED,
    Lesion,
    Lesions,
    LesionSurfaces,
    grown,
    meetings,
)
from napari_brats.metrics.masks import MaskPair
from napari_brats.metrics.tasks import Task

PENALTY_2023_MM = 374.0
PENALTY_2026_MM = 373.0
"""Both stand for the diagonal of the BraTS volume, 240 x 240 x 155 mm."""

LEAST_DICE = 1e-6
"""2026: overlap from which on two lesions may be a pair."""


@dataclass(frozen=True)
class LesionScore:
    """One region's lesion-wise score.

    Parameters
    ----------
    dice, hd95_mm, nsd : float or None
        As the rule combines the rows; None where it has nothing to say.
    lesions : tuple of Lesion
        The rows: the reference's lesions, then false positives.
    """

    dice: float | None
    hd95_mm: float | None
    nsd: float | None
    lesions: tuple[Lesion, ...]

    def count(self, status: str) -> int:
        """Return how many rows have a status."""
        return sum(lesion.status == status for lesion in self.lesions)

    def to_json(self) -> dict[str, object]:
        """Return the score, the counts and the rows."""
        return {
            "dice": self.dice,
            "hd95_mm": self.hd95_mm,
            "nsd": self.nsd,
            "matched": self.count(MATCHED),
            "missed": self.count(MISSED),
            "false_positives": self.count(FALSE),
            "ignored": self.count(IGNORED),
            "lesions": [asdict(lesion) for lesion in self.lesions],
        }


def rule_2023(task: Task) -> str:
    """Say the 2023 rule in words, with a task's numbers."""
    return (
        f"BraTS 2023 lesion-wise ({task.name}): reference lesions that touch (26-connectivity) "
        f"after {task.dilations} dilation{'s' * (task.dilations > 1)} are one; each is compared "
        "with all predicted parts that meet its dilation; HD95 by area of surface elements; "
        f"reference lesions up to {task.ignored_mm3:g} mm3 do not count; a missed lesion and "
        f"each predicted part that meets none count Dice 0 and {PENALTY_2023_MM:g} mm; the mean "
        "is over both; with nothing to count Dice is 1 and HD95 0."
    )


def rule_2026(task: Task) -> str:
    """Say the 2026 rule in words, with a task's numbers."""
    mean = (
        "the mean is over matched lesions (Dice 0, NSD 0 and "
        f"{PENALTY_2026_MM:g} mm if none is matched); missed and false lesions are counted apart"
        if task.least_mm3 is None
        else f"the mean is over reference lesions of {task.least_mm3:g} mm3 and more and all "
        "false positives; a missed and a false lesion count Dice 0, NSD 0 and "
        f"{PENALTY_2026_MM:g} mm; without such a reference lesion there is no score (null)"
    )
    return (
        f"BraTS 2026 ({task.name}): parts that touch (26-connectivity) are lesions, nothing is "
        "dilated; lesions are paired one to one so that the sum of their Dice is largest; HD95 "
        "is the 95th percentile of both directions' surface-voxel distances together, NSD the "
        f"mean of both surfaces' shares within one voxel; {mean}; empty in both: null."
    )


def lesionwise_2023(pair: MaskPair, predicted: Lesions, task: Task) -> LesionScore:
    """Score one region by the rule of 2023 (`rule_2023`).

    Parameters
    ----------
    pair : MaskPair
        The region's masks.
    predicted : Lesions
        The prediction's parts.
    task : Task
        Whose numbers to take.
    """
    inside = np.flatnonzero(pair.reference)
    joined = Lesions.of(grown(pair.reference, inside, task.dilations)).labels
    reference = Lesions.numbered(np.where(pair.reference, joined, 0), inside, joined.max())
    near: dict[int, list[int]] = defaultdict(list)
    for lesion, part, _ in meetings(joined, predicted.labels, predicted.voxels):
        near[lesion].append(part)
    shared: dict[int, int] = defaultdict(int)
    for lesion, _, voxels in meetings(reference.labels, predicted.labels, predicted.voxels):
        shared[lesion] += voxels
    surfaces = LesionSurfaces(pair, predicted, reference, "surfels")
    rows, false = [], set(predicted.numbers)
    for lesion in reference.numbers:
        parts, volume = near[lesion], reference.size(lesion) * pair.voxel_mm3
        false -= set(parts)
        dice, hd95 = 0.0, PENALTY_2023_MM
        if parts:
            total = sum(predicted.size(part) for part in parts) + reference.size(lesion)
            dice = float(2 * shared[lesion] / total)
            hd95 = surfaces.between(parts, lesion).hd95("surfels")
        status = MATCHED if parts else MISSED
        if volume <= task.ignored_mm3:
            status = IGNORED
        rows.append(Lesion(status, reference.center(lesion, pair), volume / 1000, dice, hd95))
    rows += _false_positives(pair, predicted, sorted(false), PENALTY_2023_MM, None)
    counted = [row for row in rows if row.status != IGNORED]
    return LesionScore(
        dice=_mean([row.dice for row in counted], 1.0),
        hd95_mm=_mean([row.hd95_mm for row in counted], 0.0),
        nsd=None,
        lesions=tuple(rows),
    )


def lesionwise_2026(pair: MaskPair, predicted: Lesions, task: Task) -> LesionScore:
    """Score one region by the rule of 2026 (`rule_2026`).

    Parameters
    ----------
    pair : MaskPair
        The region's masks.
    predicted : Lesions
        The prediction's parts.
    task : Task
        Whose numbers to take.
    """
    reference = Lesions.of(pair.reference)
    matches = _pair_up(predicted, reference)
    surfaces = LesionSurfaces(pair, predicted, reference, "pooled")
    rows = []
    for lesion in reference.numbers:
        volume = reference.size(lesion) * pair.voxel_mm3
        small = task.least_mm3 is not None and volume < task.least_mm3
        status, dice, hd95, nsd = MISSED, 0.0, PENALTY_2026_MM, 0.0
        if lesion in matches:
            part, dice = matches[lesion]
            distances = surfaces.between([part], lesion)
            hd95, nsd = distances.hd95("pooled"), distances.mean_nsd(min(pair.spacing_mm))
            status = MATCHED
        status = IGNORED if small else status
        rows.append(Lesion(status, reference.center(lesion, pair), volume / 1000, dice, hd95, nsd))
    false = sorted(set(predicted.numbers) - {part for part, _ in matches.values()})
    rows += _false_positives(pair, predicted, false, PENALTY_2026_MM, 0.0)
    return _combined_2026(rows, task)


def _combined_2026(rows: Sequence[Lesion], task: Task) -> LesionScore:
    if task.least_mm3 is not None:
        large = any(row.status in (MATCHED, MISSED) for row in rows)
        counted = [row for row in rows if row.status != IGNORED] if large else []
        nothing: tuple[float | None, ...] = (None, None, None)
    else:
        counted = [row for row in rows if row.status == MATCHED]
        nothing = (0.0, PENALTY_2026_MM, 0.0) if rows else (None, None, None)
    return LesionScore(
        dice=_mean([row.dice for row in counted], nothing[0]),
        hd95_mm=_mean([row.hd95_mm for row in counted], nothing[1]),
        nsd=_mean([row.nsd or 0.0 for row in counted], nothing[2]),
        lesions=tuple(rows),
    )


def _pair_up(predicted: Lesions, reference: Lesions) -> dict[int, tuple[int, float]]:
    """Return reference lesion -> (predicted lesion, Dice): one to one, largest sum of Dice."""
    from scipy.optimize import linear_sum_assignment

    overlaps = {}
    for lesion, part, voxels in meetings(reference.labels, predicted.labels, predicted.voxels):
        dice = 2 * voxels / (reference.size(lesion) + predicted.size(part))
        if dice >= LEAST_DICE:
            overlaps[lesion, part] = float(dice)
    if not overlaps:
        return {}
    # Lesions that overlap none cannot be paired; leaving them out keeps the matrix small.
    lesions, parts = (sorted({key[side] for key in overlaps}) for side in (0, 1))
    gain = np.zeros((len(lesions), len(parts)))
    for (lesion, part), dice in overlaps.items():
        # The package adds this much to any real pair, so that of equals more pairs win.
        gain[lesions.index(lesion), parts.index(part)] = dice + LEAST_DICE
    chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return {
        lesions[row]: (parts[column], overlaps[lesions[row], parts[column]])
        for row, column in chosen
        if gain[row, column] > 0
    }


def _false_positives(
    pair: MaskPair, predicted: Lesions, parts: Sequence[int], penalty_mm: float, nsd: float | None
) -> list[Lesion]:
    return [
        Lesion(
            status=FALSE,
            center=predicted.center(part, pair),
            volume_ml=predicted.size(part) * pair.voxel_mm3 / 1000,
            dice=0.0,
            hd95_mm=penalty_mm,
            nsd=nsd,
        )
        for part in parts
    ]


def _mean(values: Sequence[float], nothing: float | None) -> float | None:
    return float(np.mean(values)) if values else nothing
