"""Steps: how far a run is, told between its parts too, where it can be stopped as well.

Importing this module does not import torch.
"""

from collections.abc import Callable

OnStep = Callable[[int, int], object]


class Steps:
    """Hands steps on, and repeats the last one when asked.

    Parameters
    ----------
    on_step : callable or None
        Called as ``on_step(done, total)`` windows; (0, 0) while it is not known how many there
        will be. What it raises, such as `Cancelled`, comes through.
    """

    def __init__(self, on_step: OnStep | None) -> None:
        self._on_step = on_step
        self._last = (0, 0)

    def __call__(self, done: int, total: int) -> None:
        """Tell a step."""
        self._last = (done, total)
        self.repeat()

    def repeat(self) -> None:
        """Tell the last step again: the work goes on, and may be stopped here."""
        if self._on_step is not None:
            self._on_step(*self._last)
