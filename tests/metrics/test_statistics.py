"""Summaries, intervals and paired tests."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_brats.metrics.statistics import Summary, compare, holm, summarize


def test_nothing_is_summarized_as_nothing() -> None:
    """The empty cohort has no mean; undefined values are counted, not dropped silently."""
    assert summarize([]) == Summary(0, 0)
    assert summarize([None, math.inf]) == Summary(0, 2)


def test_summary_computed_by_hand() -> None:
    """1, 2, 3, 4 and an infinite distance."""
    found = summarize([1.0, 2.0, math.inf, 3.0, 4.0])
    assert (found.n, found.undefined, found.mean, found.median) == (4, 1, 2.5, 2.5)
    assert (found.q1, found.q3) == (1.75, 3.25)
    assert found.sd == pytest.approx(math.sqrt(5 / 3))


def test_one_case_has_no_spread() -> None:
    """A single value has a mean but neither deviation nor interval."""
    found = summarize([0.5])
    assert (found.mean, found.sd, found.ci_low, found.ci_high) == (0.5, None, None, None)


def test_the_interval_is_repeatable_and_holds_the_mean() -> None:
    """The same seed gives the same interval, another seed another one."""
    values = [float(value % 7) for value in range(40)]
    first, again, other = summarize(values), summarize(values), summarize(values, seed=1)
    assert first == again != other
    assert first.ci_low < first.mean < first.ci_high
    # 1.96 standard errors, within what 2000 resamples leave to chance
    expected = 1.96 * first.sd / math.sqrt(40)
    assert (first.ci_high - first.ci_low) / 2 == pytest.approx(expected, rel=0.1)


def test_holm_computed_by_hand() -> None:
    """Holm's own example: 0.01, 0.04, 0.03 of three tests, and one that could not be made."""
    assert holm([0.01, 0.04, None, 0.03]) == [
        pytest.approx(0.03),
        pytest.approx(0.06),
        None,
        pytest.approx(0.06),
    ]


@given(st.lists(st.floats(0, 1)))
def test_holm_keeps_order_and_never_helps(p_values: list[float]) -> None:
    """Corrected values lie between the value and Bonferroni's, in the same order."""
    corrected = holm(p_values)
    for p, q in zip(p_values, corrected, strict=True):
        assert p <= q <= min(1, p * len(p_values)) or q == pytest.approx(p)
    ranked = sorted(zip(p_values, corrected, strict=True))
    assert all(a[1] <= b[1] for a, b in pairwise(ranked))


def test_comparison_computed_by_hand() -> None:
    """Five wins of five, all differences of one sign: p = 2 / 2^5."""
    first, second = [0.9, 0.8, 0.7, 0.95, 0.6], [0.8, 0.6, 0.4, 0.55, 0.1]
    found = compare(first, second, [-v for v in first], [-v for v in second])
    assert (found.n, found.wins, found.losses, found.ties) == (5, 5, 0, 0)
    assert found.p == pytest.approx(0.0625)
    assert found.mean_difference == pytest.approx(0.3)


def test_an_infinite_distance_loses() -> None:
    """A missed region counts in the test as worse than any distance; both missed is a tie."""
    first, second = [math.inf, 3.0, math.inf, 1.0], [2.0, math.inf, math.inf, None]
    found = compare(first, second, first, second)
    assert (found.n, found.wins, found.losses, found.ties) == (3, 1, 1, 1)
    assert found.mean_difference is None
    assert found.p == pytest.approx(1.0)


def test_without_pairs_or_differences() -> None:
    """No pairs: no p. Equal methods: p is 1, not an error."""
    assert compare([None], [1.0], [None], [1.0]).p is None
    assert compare([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]).p == 1.0
