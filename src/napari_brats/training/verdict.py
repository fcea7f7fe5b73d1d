"""Whether an adapted model is better than the one it came from: the rule, in one place.

Everything is Dice at the full resolution of the patient's own files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_brats.regions import REGIONS

HELD_BACK, SAMPLE = "held back", "sample"
LEAST_GAIN = 0.005
REGION_TOLERANCE = 0.02
CASE_TOLERANCE = 0.05
SAMPLE_TOLERANCE = 0.05

RULE = (
    f"The new model is installed if the mean Dice of the held-back cases rises by {LEAST_GAIN:g} "
    f"at least, no region of theirs falls by more than {REGION_TOLERANCE:g} on average, no single "
    f"case by more than {CASE_TOLERANCE:g}, and a bundled patient that taught it nothing by no "
    f"more than {SAMPLE_TOLERANCE:g}."
)


@dataclass(frozen=True)
class Compared:
    """One case before and after.

    Parameters
    ----------
    case_id : str
        Whose.
    group : str
        `HELD_BACK`, or `SAMPLE` for a bundled patient of another look.
    before, after : Mapping[str, float]
        Dice of each of `REGIONS`.
    """

    case_id: str
    group: str
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def gain(self) -> float:
        """How much the mean over the regions rose."""
        return float(np.mean([self.after[name] - self.before[name] for name in REGIONS]))


@dataclass(frozen=True)
class Adaptation:
    """What came of it.

    Parameters
    ----------
    model, candidate : str
        What was adapted, and what the new model is or would have been called.
    installed : bool
        Whether the new model is in the user's folder.
    objections : tuple of str
        What spoke against it.
    compared : tuple of Compared
        The held-back cases and the bundled samples, before and after.
    trained_on : tuple of str
        Cases, by id.
    steps : int
        Optimizer steps taken.
    minutes : float
        Wall-clock time of everything.
    """

    model: str
    candidate: str
    installed: bool
    objections: tuple[str, ...]
    compared: tuple[Compared, ...]
    trained_on: tuple[str, ...]
    steps: int
    minutes: float

    def to_json(self) -> dict[str, Any]:
        """Return what ``napari-brats adapt --json`` prints."""
        return {
            "model": self.model,
            "installed": self.candidate if self.installed else None,
            "objections": list(self.objections),
            "rule": RULE,
            "trained_on": list(self.trained_on),
            "compared": [
                {
                    "case": row.case_id,
                    "group": row.group,
                    "before": dict(row.before),
                    "after": dict(row.after),
                }
                for row in self.compared
            ],
            "steps": self.steps,
            "minutes": round(self.minutes, 2),
        }


def region_gains(rows: Sequence[Compared]) -> dict[str, float]:
    """Return how much each region's Dice rose, as a mean over cases; empty without any."""
    if not rows:
        return {}
    return {
        name: float(np.mean([row.after[name] - row.before[name] for row in rows]))
        for name in REGIONS
    }


def objections(rows: Sequence[Compared]) -> tuple[str, ...]:
    """Return what speaks against the new model by `RULE`; nothing: it is better."""
    held_back = [row for row in rows if row.group == HELD_BACK]
    samples = [row for row in rows if row.group == SAMPLE]
    if not held_back:
        return ("no case was held back to compare on",)
    found = []
    gain = float(np.mean([row.gain for row in held_back]))
    if gain < LEAST_GAIN:
        found.append(f"the mean Dice of the held-back cases changed by {gain:+.3f} only")
    for name, change in region_gains(held_back).items():
        if change < -REGION_TOLERANCE:
            found.append(f"{name} of the held-back cases changed by {change:+.3f}")
    worse = [row for row in held_back if row.gain < -CASE_TOLERANCE]
    found += [f"{row.case_id} changed by {row.gain:+.3f}" for row in worse]
    if samples and (change := float(np.mean([row.gain for row in samples]))) < -SAMPLE_TOLERANCE:
        found.append(f"the bundled patients changed by {change:+.3f}")
    return tuple(found)
