"""How far a run is, and how long it will still take, in words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass
class Pace:
    """Turns steps into a sentence such as ``"window 5 of 8, 2 s left"``.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    """

    clock: Callable[[], float] = monotonic
    _first: tuple[int, float] | None = field(default=None, init=False)
    _last: int = field(default=0, init=False)

    def text(self, done: int, total: int) -> str:
        """Return the sentence after ``done`` of ``total`` windows.

        The time left is told from the second step on: the first window also pays for
        loading the network.
        """
        now = self.clock()
        if self._first is None or done <= self._last:
            self._first = (done, now)
        self._last = done
        words = f"window {done} of {total}"
        first_done, first_time = self._first
        if first_done < done < total:
            seconds = (now - first_time) / (done - first_done) * (total - done)
            words += f", {duration(seconds)} left"
        return words


def duration(seconds: float) -> str:
    """Return a duration for people: ``"2 s"``, ``"3 min"``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
