"""Progress in words."""

import pytest

from napari_brats.widgets.pace import Pace, duration


def test_time_left_by_hand():
    """Four windows in 8 s after the first leave 3 windows and 6 s."""
    times = iter([10.0, 18.0, 24.0])
    pace = Pace(clock=lambda: next(times))
    assert pace.text(1, 8) == "window 1 of 8"
    assert pace.text(5, 8) == "window 5 of 8, 6 s left"
    assert pace.text(8, 8) == "window 8 of 8"


def test_starting_over():
    """A smaller batch starts the count anew instead of giving a negative time."""
    times = iter([0.0, 4.0, 5.0, 6.0])
    pace = Pace(clock=lambda: next(times))
    pace.text(1, 4)
    pace.text(3, 4)
    assert pace.text(1, 16) == "window 1 of 16"
    assert pace.text(2, 16) == "window 2 of 16, 14 s left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "1 s"), (12.4, "12 s"), (89, "89 s"), (240, "4 min")]
)
def test_duration(seconds, words):
    """Durations are rounded to what a person needs."""
    assert duration(seconds) == words
