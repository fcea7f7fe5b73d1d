"""Which patients are kept out of a training: decided by the seed and written to a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_brats.errors import TrainingError
from napari_brats.volumes import write_json_atomic

GRADES = ("HGG", "LGG")
"""Folders by which BraTS 2012-2019 told high- from low-grade glioma."""


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
    names = {
        "train": [path.stem for path in trained_on],
        "holdout": [path.stem for path in holdout],
    }
    write_json_atomic(folder / "split.json", names)
