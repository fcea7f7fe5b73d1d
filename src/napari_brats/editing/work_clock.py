"""`WorkClock`: how long somebody worked, pauses left out."""

from collections.abc import Callable
from time import monotonic

PAUSE_S = 60.0
"""A longer time without a sign of work is a pause, none of which counts."""


class WorkClock:
    """Adds up the time between signs of work that follow each other closely.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    seconds : float
        Worked since the start or the last `reset`.

    Examples
    --------
    >>> times = iter([0.0, 10.0, 500.0, 505.0])
    >>> work = WorkClock(lambda: next(times))
    >>> for _ in range(4):
    ...     work.touch()
    >>> work.seconds
    15.0
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self.seconds = 0.0

    def touch(self) -> None:
        """Note a sign of work: a stroke, a slice, a movement of the cursor."""
        now = self._clock()
        if self._last is not None and now - self._last <= PAUSE_S:
            self.seconds += now - self._last
        self._last = now

    def reset(self) -> None:
        """Begin anew."""
        self._last, self.seconds = None, 0.0
