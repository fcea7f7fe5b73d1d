"""What a cohort's numbers say: summaries with confidence intervals, and paired comparisons.

Sources: percentile bootstrap (Efron 1979, doi:10.1214/aos/1176344552); signed-rank test
(Wilcoxon 1945, doi:10.2307/3001968); step-down correction (Holm 1979, jstor:4615733).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 0

Values = Sequence[float | None]


@dataclass(frozen=True)
class Summary:
    """One metric over a cohort.

    Parameters
    ----------
    n : int
        Cases with a finite value; all else is about these.
    undefined : int
        Cases without one (`scores.EMPTY_DISTANCE_RULE`): look at them before the mean.
    mean, sd, median, q1, q3 : float or None
        sd with n - 1; None where n is too small.
    ci_low, ci_high : float or None
        95 % bootstrap confidence interval of the mean.
    """

    n: int
    undefined: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return the numbers by name."""
        return asdict(self)


def summarize(values: Values, *, seed: int = SEED) -> Summary:
    """Summarize one metric over a cohort.

    Parameters
    ----------
    values : sequence of float or None
        One a case; None and infinity count as undefined.
    seed : int
        Of the bootstrap; the same seed gives the same interval.
    """
    found = np.array([value for value in values if value is not None and math.isfinite(value)])
    undefined = len(values) - len(found)
    if not len(found):
        return Summary(0, undefined)
    q1, median, q3 = (float(value) for value in np.percentile(found, (25, 50, 75)))
    low, high = _interval(found, seed)
    return Summary(
        n=len(found),
        undefined=undefined,
        mean=float(found.mean()),
        sd=float(found.std(ddof=1)) if len(found) > 1 else None,
        median=median,
        q1=q1,
        q3=q3,
        ci_low=low,
        ci_high=high,
    )


def _interval(values: NDArray[np.float64], seed: int) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    picks = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(values[picks].mean(axis=1), (tail, 100 - tail))
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same cases, by one metric.

    Parameters
    ----------
    n : int
        Cases that both have a number for.
    wins, losses, ties : int
        Cases in which the first method is better, worse, equal.
    mean_difference : float or None
        First minus second, over cases that are finite in both.
    p : float or None
        Two-sided Wilcoxon signed-rank test; 1 if all pairs are equal, None without pairs.
    p_holm : float or None
        Corrected for all tests made together.
    """

    n: int
    wins: int
    losses: int
    ties: int
    mean_difference: float | None
    p: float | None
    p_holm: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return the numbers by name."""
        return asdict(self)


def compare(first: Values, second: Values, first_loss: Values, second_loss: Values) -> Comparison:
    """Compare two methods case by case.

    Parameters
    ----------
    first, second : sequence of float or None
        The metric, one a case, in the same order. None: no number, the case is left out.
    first_loss, second_loss : sequence of float or None
        The same as `Metric.loss` gives it: smaller is better. An infinite distance is worse
        than any other, so that a missed region is not left out of the test.
    """
    pairs = [
        (a, b, x, y)
        for a, b, x, y in zip(first, second, first_loss, second_loss, strict=True)
        if a is not None and b is not None and x is not None and y is not None
    ]
    differences = np.array([_difference(x, y) for _, _, x, y in pairs])
    finite = [a - b for a, b, _, _ in pairs if math.isfinite(a) and math.isfinite(b)]
    return Comparison(
        n=len(pairs),
        wins=int(np.sum(differences < 0)),
        losses=int(np.sum(differences > 0)),
        ties=int(np.sum(differences == 0)),
        mean_difference=float(np.mean(finite)) if finite else None,
        p=_wilcoxon(differences),
    )


def _difference(first: float, second: float) -> float:
    return 0.0 if first == second else first - second


def _wilcoxon(differences: NDArray[np.float64]) -> float | None:
    if not len(differences):
        return None
    if not differences.any():
        return 1.0
    from scipy.stats import wilcoxon

    finite = np.abs(differences[np.isfinite(differences)]).max(initial=0.0)
    # The test is about ranks: any number above all others stands for infinity.
    return float(wilcoxon(np.clip(differences, -2 * finite - 1, 2 * finite + 1)).pvalue)


def holm(p_values: Values) -> list[float | None]:
    """Correct p-values of tests made together; None stays None.

    The k-th smallest of m is multiplied by m - k + 1, never falls below a smaller one's
    result, and ends at 1.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        corrected[place] = largest
    return corrected
