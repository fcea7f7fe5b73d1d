"""Which patients are kept out of a training: decided by the seed and written to a file."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_brats.errors import TrainingError
from napari_brats.volumes import write_json_atomic

GRADES = ("HGG", "LGG")
"""Folders by which BraTS 2012-2019 told high- from low-grade glioma."""

SPLIT_NAME = "split.json"


def grade_of(path: Path) -> str:
    """Return the grade that a patient's path tells, or nothing."""
    return next((part for part in path.parts if part in GRADES), "")


def held_out(
    grades: Sequence[str], *, holdout: int = 0, folds: int = 0, fold: int = 0, seed: int = 0
) -> list[int]:
    """Return the numbers of the patients to keep out, ascending.

    Parameters
    ----------
    grades : sequence of str
        Of each patient; every fold gets its share of each.
    holdout : int
        How many to keep out, where there are no folds; at least one patient stays.
    folds, fold : int
        Number of folds, and which one to keep out.
    seed : int
        Decides who falls into which.

    Raises
    ------
    TrainingError
        If the fold does not exist, or there are more folds than patients.
    """
    order = np.random.default_rng(seed).permutation(len(grades))
    if not folds:
        return sorted(int(number) for number in order[: min(holdout, max(len(grades) - 1, 0))])
    if folds < 2 or not 0 <= fold < folds or folds > len(grades):
        raise TrainingError(
            f"no fold {fold} of {folds} with {len(grades)} patients; give --folds from 2 to the "
            "number of patients and --fold from 0 to one less than that"
        )
    dealt = sorted(order, key=lambda number: grades[number])
    return sorted(int(number) for number in dealt[fold::folds])


def write_split(folder: Path, trained_on: Sequence[Path], holdout: Sequence[Path]) -> None:
    """Write who is trained on and who is held out to ``split.json``, by cached file's name."""
    write_json_atomic(folder / SPLIT_NAME, _split(trained_on, holdout))


def check_split(folder: Path, trained_on: Sequence[Path], holdout: Sequence[Path]) -> None:
    """Raise TrainingError unless a training goes on with the patients that it began with.

    With others it would be trained on who was held out.
    """
    path = folder / SPLIT_NAME
    try:
        began = json.loads(path.read_text(encoding="utf-8"))
        known = {part: [_case(name) for name in began[part]] for part in ("train", "holdout")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{str(path)!r} cannot be read, so that nobody knows who was held out; "
            "train again with another --output"
        ) from error
    now = {
        part: [_case(name) for name in names] for part, names in _split(trained_on, holdout).items()
    }
    if any(sorted(known[part]) != sorted(now[part]) for part in known):
        before, after = ({case for part in each.values() for case in part} for each in (known, now))
        more, gone = sorted(after - before), sorted(before - after)
        raise TrainingError(
            f"the patients are not those that the training in {str(folder)!r} began with: "
            f"{len(more)} more{_such_as(more)}, {len(gone)} gone{_such_as(gone)}; give the same "
            "--data or another --output"
        )


def _split(trained_on: Sequence[Path], holdout: Sequence[Path]) -> dict[str, list[str]]:
    return {
        "train": [path.stem for path in trained_on],
        "holdout": [path.stem for path in holdout],
    }


def _case(name: str) -> str:
    """Return a cached file's name without what depends on the place and time of its sources."""
    return name.rpartition("-")[0]


def _such_as(names: Sequence[str]) -> str:
    return f" (such as {names[0]!r})" if names else ""
