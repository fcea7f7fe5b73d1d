"""Make some masks again and compare them with those on disk, voxel by voxel."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from napari_brats.case import load_case, load_mask
from napari_brats.regions import encode_labels
from napari_brats.workflows.cohort.plan import Plan
from napari_brats.workflows.cohort.record import CHANGED
from napari_brats.workflows.cohort.row import State
from napari_brats.workflows.cohort.visit import load_networks


@dataclass(frozen=True)
class Check:
    """One mask made again.

    Parameters
    ----------
    patient, model : str
        Whose, and by what.
    different : int
        Voxels that differ from the file.
    voxels : int
        Of the whole volume.
    """

    patient: str
    model: str
    different: int
    voxels: int


def verify(plan: Plan, count: int, seed: int = 0) -> Iterator[Check]:
    """Recompute a sample of what is done; nothing is written.

    Parameters
    ----------
    plan : Plan
        Its kept rows are the population; masks that a person changed are left out.
    count : int
        How many; fewer where there are not so many.
    seed : int
        The same seed draws the same sample.

    Yields
    ------
    Check
        One a mask.

    Raises
    ------
    BratsError
        If one cannot be made again.
    """
    rows = [row for row in plan.kept if row.state is State.DONE and CHANGED not in row.warnings]
    patients = {one.case_id: one for one in plan.patients}
    makers = {one.name: one for one in plan.makers}
    for row in random.Random(seed).sample(rows, min(count, len(rows))):
        case = load_case(patients[row.patient], labels=plan.settings.labels)
        maker = makers[row.model]
        networks = load_networks(maker, maker.cards(plan.settings), plan.settings)
        found = networks.predict(case).tissues
        mask, _ = load_mask(plan.root / row.mask, case.convention)
        # Where the file's codes do not know a tissue, another was saved in its place.
        made, saved = (encode_labels(tissues, case.convention) for tissues in (found, mask))
        yield Check(row.patient, row.model, int(np.count_nonzero(made != saved)), mask.size)
