"""The queue's order: what is worse never comes later, and the order of input changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.metrics.ranking import PARTS, Measure, judge, rank, robust_z

VALUES = st.dictionaries(
    st.sampled_from(list(PARTS)),
    st.builds(Measure, st.floats(0, 50), st.just("because")),
)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_points_by_hand(part) -> None:
    """Nothing up to ``start``, half of the weight half-way, all from ``full`` on."""
    assert part.points(None) == part.points(part.start) == 0
    assert part.points((part.start + part.full) / 2) == pytest.approx(part.weight / 2)
    assert part.points(part.full) == part.points(part.full * 10) == part.weight
    assert 0 < part.weight <= 1


@settings(max_examples=60)
@given(measures=VALUES, name=st.sampled_from(list(PARTS)), more=st.floats(0, 50))
def test_worse_never_scores_less(measures, name, more) -> None:
    """Raising one measure, or measuring one more, never lowers the score, which is 0 to 1."""
    before = judge("a", measures)
    old = measures[name].value if name in measures else 0.0
    after = judge("a", {**measures, name: Measure(old + more, "because")})
    assert 0 <= before.score <= after.score + 1e-12
    assert after.score <= 1


@settings(max_examples=40)
@given(
    cases=st.dictionaries(st.text("ab12", min_size=1, max_size=4), VALUES, max_size=6),
    data=st.data(),
)
def test_order_of_input_changes_nothing(cases, data) -> None:
    """Cases in any order give the same queue, the largest score first."""
    shuffled = data.draw(st.permutations(list(cases.items())))
    queue = rank(cases)
    assert rank(dict(shuffled)) == queue
    scores = [one.score for one in queue]
    assert scores == sorted(scores, reverse=True)


def test_failed_comes_first() -> None:
    """A case without a mask stands before any other; nothing unusual comes last, by number."""
    everything = {name: Measure(part.full, "x") for name, part in PARTS.items() if name != "failed"}
    queue = rank(
        {"p10": {}, "p2": {}, "bad": everything, "gone": {"failed": Measure(1, "net failed")}}
    )
    assert [one.case for one in queue] == ["gone", "bad", "p2", "p10"]
    assert queue[0].reasons == ("net failed",)
    assert queue[0].score == 1
    assert queue[2].score == 0


def test_reasons_follow_the_points() -> None:
    """The gravest reason is said first, in words with its number; what gives none is not said."""
    found = judge(
        "a",
        {"specks": Measure(4, " (net)"), "bare": Measure(0.4, " (net)"), "far": Measure(0)},
    )
    assert list(found.points) == ["bare", "specks"]
    assert found.reasons == ("40% of ET touches no other tumor tissue (net)", "4 specks (net)")
    assert found.score == pytest.approx(1 - (1 - 0.6 * 0.8) * (1 - 0.3 * 2 / 28))


def test_robust_z_by_hand() -> None:
    """log(1 + v) of 0..4: middle 2, MAD 1; too few volumes, or none, give nothing."""
    volumes = [*np.expm1([0.0, 1, 2, 3, 4]).tolist(), None]
    found = robust_z(volumes)
    assert found[-1] is None
    assert found[:-1] == pytest.approx([(n - 2) / 1.4826 for n in range(5)])
    assert robust_z([1.0, 2.0, 3.0, 4.0, None]) == [None] * 5
    assert robust_z([7.0] * 9) == [0.0] * 9
