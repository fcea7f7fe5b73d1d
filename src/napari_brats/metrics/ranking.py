"""Which case needs a look first, and why: `PARTS` is the table, `rank` the order.

Each part of `PARTS` turns one measure of a case into points from 0 to its weight, in a
straight line from ``start`` to ``full``. The score is 1 - product of (1 - points): from 0 to
1, never less when a measure gets worse, and one grave part is enough to come first. What was
not measured gives no points.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_brats.metrics.plausibility import AROUND_MM, FAR_MM, SMALL_ML

LEAST_COHORT = 5
"""So many volumes make a cohort to be an outlier of."""

_LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Part:
    """One reason to look at a case.

    Parameters
    ----------
    name : str
        Of the measure; column of ``queue.csv``.
    title : str
        What is measured, for people.
    start, full : float
        Measure from which on it gives points, and at which it gives all.
    weight : float
        The most points it gives; 1 puts a case first whatever the others say.
    says : str
        In words, of the measure ``{value}`` and the ``{detail}`` that came with it.
    """

    name: str
    title: str
    start: float
    full: float
    weight: float
    says: str

    def points(self, value: float | None) -> float:
        """Return the points that a measure gives."""
        if value is None or not value > self.start:
            return 0.0
        return self.weight * min((value - self.start) / (self.full - self.start), 1.0)


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part("failed", "masks that are missing because a model failed", 0, 1, 1.0, "{detail}"),
        Part("empty", "masks without any tumor", 0, 1, 0.8, "no tumor found{detail}"),
        Part(
            "disagreement",
            "1 - mean Dice of WT, TC, ET over all pairs of models",
            0.05,
            0.6,
            0.9,
            "models disagree: Dice {detail}",
        ),
        Part(
            "entropy",
            f"mean entropy of WT up to {AROUND_MM:g} mm around the tumor, bits",
            0.05,
            0.5,
            0.6,
            "unsure around the tumor: entropy {value:.2f} bit{detail}",
        ),
        Part(
            "unsure",
            "volume with a probability from 0.25 to 0.75 / volume of the regions",
            0.05,
            0.6,
            0.6,
            "{value:.0%} of the volume is unsure{detail}",
        ),
        Part(
            "unnested",
            "volume where regions were not nested / volume of WT",
            0.01,
            0.1,
            0.5,
            "regions not nested in {value:.1%} of the tumor{detail}",
        ),
        Part(
            "bare",
            "share of ET that no other tumor tissue touches",
            0.0,
            0.5,
            0.6,
            "{value:.0%} of ET touches no other tumor tissue{detail}",
        ),
        Part(
            "far",
            f"foci {FAR_MM:g} mm or more from the largest",
            0.0,
            3.0,
            0.5,
            "{value:.0f} far from the largest focus{detail}",
        ),
        Part(
            "specks",
            f"parts below {SMALL_ML:g} ml",
            2.0,
            30.0,
            0.3,
            "{value:.0f} specks{detail}",
        ),
        Part(
            "volume",
            "robust z of log volume within the cohort, the largest of WT, TC, ET",
            2.0,
            6.0,
            0.7,
            "{detail}",
        ),
        Part("warnings", "warnings about files and one mask", 0, 4, 0.4, "{detail}"),
    )
}


@dataclass(frozen=True)
class Measure:
    """One number about a case, and what makes it understood."""

    value: float
    detail: str = ""


@dataclass(frozen=True)
class Ranked:
    """A case in the queue.

    Parameters
    ----------
    case : str
        Its id.
    score : float
        0 to 1; the largest comes first.
    points : Mapping[str, float]
        By row of `PARTS`, those that gave any, the most first.
    reasons : tuple of str
        The same in words.
    """

    case: str
    score: float
    points: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


def rank(cases: Mapping[str, Mapping[str, Measure]]) -> list[Ranked]:
    """Order cases, the worst first; equal ones by their ids.

    Parameters
    ----------
    cases : Mapping[str, Mapping[str, Measure]]
        Case id to row of `PARTS` to measure.
    """
    ranked = [judge(case, measures) for case, measures in cases.items()]
    return sorted(ranked, key=lambda one: (-one.score, _natural(one.case)))


def judge(case: str, measures: Mapping[str, Measure]) -> Ranked:
    """Return the score of one case, with its parts and reasons."""
    points = {
        name: PARTS[name].points(measure.value)
        for name, measure in measures.items()
        if PARTS[name].points(measure.value) > 0
    }
    order = sorted(points, key=lambda name: (-points[name], list(PARTS).index(name)))
    return Ranked(
        case=case,
        score=1 - float(np.prod([1 - points[name] for name in PARTS if name in points])),
        points={name: points[name] for name in order},
        reasons=tuple(
            PARTS[name].says.format(value=measures[name].value, detail=measures[name].detail)
            for name in order
        ),
    )


def robust_z(values: Sequence[float | None]) -> list[float | None]:
    """Return how far each volume lies from the others' middle, in robust standard deviations.

    (log(1 + v) - median) / (1.4826 MAD), MAD the median distance from the median (Iglewicz and
    Hoaglin 1993). A cohort whose volumes are all alike counts as spread by 10 %.

    Parameters
    ----------
    values : sequence of float or None
        Volumes in ml.

    Returns
    -------
    list of float or None
        None for None, and for all where fewer than `LEAST_COHORT` are known.
    """
    known = np.log1p([value for value in values if value is not None])
    if len(known) < LEAST_COHORT:
        return [None] * len(values)
    middle = float(np.median(known))
    spread = max(1.4826 * float(np.median(np.abs(known - middle))), _LEAST_SPREAD)
    return [
        None if value is None else (float(np.log1p(value)) - middle) / spread for value in values
    ]


def _natural(name: str) -> list[tuple[int, int, str]]:
    pieces = re.split(r"(\d+)", name.lower())
    return [(1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces]
