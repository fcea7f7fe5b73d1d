"""One patient on its way through the stages: read, prepare, network, finish.

A stage takes a `Visit` and gives it back. What is wrong with a patient, or with one model
for it, becomes a row with the reason; what is wrong with the disk ends the run.
"""

import errno
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from napari_brats.case import Case, load_case
from napari_brats.errors import BratsError, Cancelled, OutputError
from napari_brats.networks.card import Card
from napari_brats.workflows.cohort.job import Inputs, Job, Maker, Settings
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.record import Record, now, software, standing, write_record
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.segment import networks_for, remember_run

if TYPE_CHECKING:
    from napari_brats.inference import Ensemble
    from napari_brats.inference.averaging import Passage

OnStep = Callable[[int, int], None]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NOBODYS_FAULT = "unexpected "
_LOADING = Lock()


@dataclass
class Leg:
    """One mask in the making.

    ``seconds`` grows from stage to stage; ``passage`` is there from `prepare` to `finish`.
    """

    maker: Maker
    cards: tuple[Card, ...] = ()
    passage: "Passage | None" = None
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Visit:
    """A patient's way.

    Parameters
    ----------
    job : Job
        What is wanted.
    rows : list of Row
        What is settled.
    legs : list of Leg
        What is not.
    case, inputs
        What was read.
    load_seconds : float
        Reading and hashing.
    """

    job: Job
    rows: list[Row] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    case: Case | None = None
    inputs: Inputs = field(default_factory=lambda: Inputs(()))
    load_seconds: float = 0.0

    def fail(self, leg: Leg, error: Exception) -> None:
        """Settle a mask as failed and keep the reason."""
        known = isinstance(error, BratsError)
        reason = str(error) if known else f"{_NOBODYS_FAULT}{type(error).__name__}: {error}"
        trace = "" if known else "".join(traceback.format_exception(error))
        row = failed_row(self.job, leg.maker, reason, self.inputs, tuple(leg.notices))
        write_record(Layout(self.job.root), Record(row, self.inputs, trace=trace))
        self.settle(leg, row)

    def settle(self, leg: Leg, row: Row) -> None:
        """Add a row; its leg is over."""
        self.legs.remove(leg)
        self.rows.append(row)

    @contextmanager
    def guarded(self, *legs: Leg) -> Iterator[None]:
        """Turn what goes wrong into failed rows, but for a full disk and the wish to stop.

        What is settled already stays as it is.
        """
        start = perf_counter()
        try:
            yield
        except Cancelled:
            raise
        except Exception as error:
            if is_no_room(error):
                raise
            for leg in [one for one in legs if one in self.legs]:
                self.fail(leg, error)
        for leg in legs:
            leg.seconds += perf_counter() - start


def read(job: Job) -> Visit:
    """Hash and load a patient; what is done already costs no more than the hashing."""
    visit = Visit(job, legs=[Leg(maker) for maker in job.makers])
    start = perf_counter()
    with visit.guarded(*visit.legs):
        visit.inputs = Inputs.of(job.patient)
        for leg in list(visit.legs):
            row = standing(job, leg.maker, visit.inputs)
            if row is not None:
                visit.settle(leg, row)
        if visit.legs:
            visit.case = load_case(job.patient, labels=job.settings.labels)
    visit.load_seconds = perf_counter() - start
    return visit


def prepare(visit: Visit) -> Visit:
    """Preprocess for every model."""
    from napari_brats.inference.averaging import Passage

    settings = visit.job.settings
    for leg in list(visit.legs):
        with visit.guarded(leg):
            assert visit.case is not None
            leg.cards = leg.maker.cards(settings)
            networks = load_networks(leg.maker, leg.cards, settings)
            leg.passage = Passage(networks.members, visit.case, on_notice=leg.notices.append)
            for recipe in leg.passage.recipes:
                leg.passage.prepare(recipe)
    return visit


def load_networks(maker: Maker, cards: Sequence[Card], settings: Settings) -> "Ensemble":
    """Return a model's networks; the next patient, and the window, find them so."""
    with _LOADING:
        return networks_for(
            maker.model,
            cards,
            settings.device,
            settings.precision,
            settings.engine,
            settings.mirror,
        )


def load_all(makers: Iterable[Maker], settings: Settings) -> None:
    """Load what a run needs: what no patient can change is no patient's failure.

    Raises
    ------
    BratsError
        If there is no such device or engine, or weights cannot be used.
    """
    for maker in makers:
        load_networks(maker, maker.cards(settings), settings)


def network(visit: Visit, on_step: OnStep | None = None) -> Visit:
    """Run the networks; `Cancelled` from ``on_step`` ends it."""
    for leg in list(visit.legs):
        with visit.guarded(leg):
            assert leg.passage is not None
            for recipe in leg.passage.recipes:
                leg.passage.run(recipe, on_step)
    return visit


def finish(visit: Visit) -> list[Row]:
    """Write masks and records; returns a row for each model."""
    from napari_brats.workflows.cohort.writing import write_results

    for leg in list(visit.legs):
        with visit.guarded(leg):
            assert leg.passage is not None
            assert visit.case is not None
            start = perf_counter()
            for recipe in leg.passage.recipes:
                leg.passage.undo(recipe)
            prediction = leg.passage.prediction()
            leg.passage = None
            took = visit.load_seconds + leg.seconds + perf_counter() - start
            visit.settle(leg, write_results(visit, leg, prediction, took))
            remember_run(leg.maker.name, prediction, took)
    return visit.rows


def failed_row(
    job: Job,
    maker: Maker,
    reason: str,
    inputs: Inputs | None = None,
    warnings: tuple[str, ...] = (),
) -> Row:
    """Return the row of a mask that could not be made."""
    return Row(
        patient=job.case_id,
        model=maker.name,
        state=State.FAILED,
        reason=" ".join(reason.split()),
        warnings=warnings,
        source=str(job.source),
        finished=now(),
        inputs_sha256=inputs.sha256 if inputs is not None and inputs.files else "",
        weights_sha256=maker.sha256,
        settings_sha256=job.settings.sha256,
        software=software(),
    )


def is_no_room(error: BaseException | None) -> bool:
    """Return whether an error says that nothing more can be written to a disk."""
    if isinstance(error, OutputError):
        error = error.__cause__
    return isinstance(error, OSError) and error.errno in _NO_ROOM
