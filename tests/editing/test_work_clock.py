"""Only work counts as time spent."""

from hypothesis import given
from hypothesis import strategies as st

from napari_brats.editing.work_clock import PAUSE_S, WorkClock


def test_nothing_done():
    """Empty case, and a single sign of work: no time."""
    work = WorkClock(lambda: 5.0)
    assert work.seconds == 0
    work.touch()
    assert work.seconds == 0


@given(st.lists(st.floats(0, 3 * PAUSE_S), max_size=20))
def test_pauses_do_not_count(gaps):
    """The sum of the gaps that are no pause, by hand; a reset begins anew."""
    now = [0.0]
    work = WorkClock(lambda: now[0])
    work.touch()
    expected = 0.0
    for gap in gaps:
        before = now[0]
        now[0] += gap
        work.touch()
        expected += now[0] - before if now[0] - before <= PAUSE_S else 0.0
    assert work.seconds == expected
    work.reset()
    work.touch()
    assert work.seconds == 0
