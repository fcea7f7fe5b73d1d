"""What a worker of a cluster does. It needs no napari and no Qt."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from napari_brats.errors import BratsError
from napari_brats.workflows.cohort import visit
from napari_brats.workflows.cohort.job import Job, Maker, Settings
from napari_brats.workflows.cohort.record import software
from napari_brats.workflows.cohort.row import Row


@dataclass(frozen=True)
class Needs:
    """What a worker must have.

    Parameters
    ----------
    software : str
        Name and version of the program that asks.
    makers : tuple of Maker
        Models, with the hashes of their weights.
    settings : Settings
        How they are used.
    root : Path
        The output folder.
    sign : str
        Name of a file in it: who does not see it writes somewhere else.
    """

    software: str
    makers: tuple[Maker, ...]
    settings: Settings
    root: Path
    sign: str


@dataclass(frozen=True)
class Outcome:
    """What came of a job: rows, or why this ``worker`` or this disk cannot do any."""

    rows: tuple[Row, ...] = ()
    unfit: str = ""
    worker: str = ""
    no_room: str = ""


# A worker may read one patient while another is in the network, but a GPU has one at a time.
_NETWORK = Lock()


def work(job: Job, needs: Needs) -> Outcome:
    """Do one job: all stages, the record last."""
    try:
        _require(needs)
        _make_ready(needs)
    except BratsError as error:
        return Outcome(unfit=str(error), worker=_address())
    try:
        one = visit.prepare(visit.read(job))
        with _NETWORK:
            visit.network(one)
        return Outcome(tuple(visit.finish(one)))
    except Exception as error:
        if visit.is_no_room(error):
            return Outcome(no_room=str(error))
        raise


def fitness(needs: Needs) -> str:
    """Return why this process cannot do the work, or nothing."""
    try:
        _require(needs)
    except BratsError as error:
        return str(error)
    return ""


@lru_cache(maxsize=4)
def _require(needs: Needs) -> None:
    """Raise what is wrong; what is right is not looked at again."""
    if software() != needs.software:
        raise BratsError(f"it has {software()}, not {needs.software}; install the same everywhere")
    for maker in needs.makers:
        here = Maker.of(maker.model, needs.settings)
        if here.sha256 != maker.sha256:
            raise BratsError(
                f"its weights of {maker.model!r} are others; copy the same to every worker"
            )
    if not os.path.exists(needs.root / needs.sign):
        raise BratsError(
            f"it does not see the output folder {str(needs.root)!r}; use a folder that all "
            "computers share"
        )


@lru_cache(maxsize=4)
def _make_ready(needs: Needs) -> None:
    """Load the networks, once; raise why they cannot run here."""
    visit.load_all(needs.makers, needs.settings)


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)
