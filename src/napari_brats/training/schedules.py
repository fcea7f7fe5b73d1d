"""SCHEDULES: what the learning rate is multiplied with in the course of a training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """Where a training stands before a step.

    ``step`` and ``epoch`` count from 0, ``step`` over all epochs; ``fraction`` is the part of
    the whole training that is done, 0 to 1.
    """

    step: int
    epoch: int
    fraction: float


@dataclass(frozen=True)
class Schedule:
    """A factor on the learning rate, and what it does in one line."""

    title: str
    factor: Callable[[Moment], float]


def constant(moment: Moment) -> float:
    """Return 1 at every moment."""
    return 1.0


def one_cycle(moment: Moment, warm_up: float = 0.05) -> float:
    """Rise in a line over the warm-up, then fall along half a cosine to 1 %."""
    if moment.fraction < warm_up:
        return max(moment.fraction / warm_up, 0.01)
    rest = (moment.fraction - warm_up) / (1 - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(rest, 1.0))) / 2


def tenth_an_epoch(moment: Moment, decay: float = 5e-6) -> float:
    """Divide by ten at the start of every epoch, the first too, and decay by the step.

    With e = epoch + 1: 10^-e / (1 + 10^e decay step), as in Kermi et al.'s training (2018),
    where each epoch makes the decay ten times larger too.
    """
    tenfold = 10.0 ** (moment.epoch + 1)
    return 1 / (tenfold * (1 + tenfold * decay * moment.step))


SCHEDULES: Mapping[str, Schedule] = {
    "constant": Schedule("the same throughout", constant),
    "one-cycle": Schedule("up over the first 5 %, then down along a cosine to 1 %", one_cycle),
    "tenth-an-epoch": Schedule(
        "a tenth from every epoch to the next, the first included, and a decay by the step",
        tenth_an_epoch,
    ),
}
