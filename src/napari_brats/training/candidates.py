"""Between old weights and fine-tuned ones: how far a new model goes.

Weights between the two gain nearly as much as the fine-tuned ones and forget less (Wortsman et
al. 2022, arXiv:2109.01903). How far is far enough, the held-back cases say.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

SHARES = (0.25, 0.5, 1.0)
"""The shares of the way that are compared."""

USUAL_SHARE = 0.5
"""Where there is no time to compare several."""

ENOUGH = 0.75


def candidate(folder: Path, share: float) -> Path:
    """Return where the new model of a share lies."""
    return folder / f"{share:g}.safetensors"


def blended(old: "nn.Module", new: "nn.Module", share: float) -> "nn.Module":
    """Return a network whose weights lie between those of two, at a share of the way."""
    between, others = copy.deepcopy(old), new.state_dict()
    for name, values in between.state_dict().items():
        if values.is_floating_point():
            values.lerp_(others[name], share)
    return between


def least_enough(gains: Mapping[float, float]) -> float:
    """Return the smallest share that brings three quarters of the best gain.

    Parameters
    ----------
    gains : Mapping of float to float
        By share, how much the mean Dice of the held-back cases rose.
    """
    best = max(gains.values())
    wanted = min(best, ENOUGH * best)  # where all lose, the best
    return min(share for share, gain in gains.items() if gain >= wanted)


def shares_in_time(seconds: float, least: int, each: int, a_case: float) -> tuple[float, ...]:
    """Return the shares to compare: all, if that takes no longer than learning then may.

    Parameters
    ----------
    seconds : float
        What is left for learning and comparing.
    least, each : int
        Cases to measure with one share, and with each further one.
    a_case : float
        Seconds that measuring a case takes.
    """
    comparing = a_case * (least + each * (len(SHARES) - 1))
    return SHARES if comparing <= seconds - comparing else (USUAL_SHARE,)
