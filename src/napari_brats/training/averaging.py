"""The running average of the weights, which is what a training keeps."""

from collections.abc import Sequence

from torch import Tensor


class MovingAverage:
    """One step of an exponential moving average whose decay grows up to its limit.

    After n updates the decay is (1 + n) / (10 + n), so that the random start is forgotten.
    An object rather than a closure: it travels to other processes.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(
        self, averages: Sequence[Tensor], current: Sequence[Tensor], updates: Tensor | int
    ) -> None:
        """Move averages toward the present values; counters are taken over."""
        decay = min(self.limit, (1 + int(updates)) / (10 + int(updates)))
        for average, value in zip(averages, current, strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)
