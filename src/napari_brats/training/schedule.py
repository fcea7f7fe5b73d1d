"""The learning rate and the averaging of weights over a training."""

import math
from collections.abc import Sequence

from torch import Tensor


def one_cycle(fraction: float, warm_up: float = 0.05) -> float:
    """Learning rate over its peak: linear up, then half a cosine down to 1 %."""
    if fraction < warm_up:
        return max(fraction / warm_up, 0.01)
    rest = (fraction - warm_up) / (1 - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(rest, 1.0))) / 2


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
