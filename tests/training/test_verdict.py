"""When a model is better."""

import pytest

from napari_brats.training.verdict import (
    HELD_BACK,
    SAMPLE,
    Compared,
    objections,
    region_gains,
)


def row(*gains, group=HELD_BACK, case_id="case"):
    before = dict.fromkeys(("WT", "TC", "ET"), 0.5)
    after = {name: 0.5 + gain for name, gain in zip(before, gains, strict=True)}
    return Compared(case_id, group, before, after)


def test_nothing_was_compared():
    """Empty case: without held-back cases nothing is better."""
    assert objections([]) == ("no case was held back to compare on",)
    assert objections([row(0.3, 0.3, 0.3, group=SAMPLE)]) == objections([])
    assert region_gains([]) == {}


def test_gains_are_means():
    """By hand: of a case over regions, of a region over cases."""
    rows = [row(0.1, 0.2, 0.3), row(0.3, 0.0, -0.1)]
    assert rows[0].gain == pytest.approx(0.2)
    assert region_gains(rows) == pytest.approx({"WT": 0.2, "TC": 0.1, "ET": 0.1})


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([row(0.1, 0.1, 0.1)], []),
        ([row(0.1, 0.1, 0.1), row(0.0, -0.02, 0.02, group=SAMPLE)], []),
        ([row(0.0, 0.0, 0.0)], ["held-back cases changed by +0.000 only"]),
        ([row(0.004, 0.004, 0.004)], ["+0.004 only"]),
        ([row(0.2, 0.1, -0.03)], ["ET of the held-back cases changed by -0.030"]),
        ([row(0.4, 0.4, 0.4), row(-0.06, -0.06, -0.06, case_id="b")], ["b changed by -0.060"]),
        ([row(0.1, 0.1, 0.1), row(-0.1, -0.1, -0.1, group=SAMPLE)], ["bundled patients"]),
        ([row(-0.1, -0.1, -0.1)], ["-0.100 only", "WT", "TC", "ET", "case changed"]),
    ],
)
def test_each_harm_is_an_objection(rows, found):
    """Too small a gain, a region, a case, other data: whatever got worse is named."""
    against = objections(rows)
    assert len(against) == len(found)
    for text, part in zip(against, found, strict=True):
        assert part in text
