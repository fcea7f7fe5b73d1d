"""`run_cohort`: do what is planned, patient by patient, and keep the table up to date."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from napari_brats.editing.claim import Claim
from napari_brats.editing.owner import SILENCE_S
from napari_brats.errors import Cancelled, CaseError, OutputError
from napari_brats.metrics.table import METRICS
from napari_brats.volumes import write_text_atomic
from napari_brats.workflows.cohort import visit
from napari_brats.workflows.cohort.job import Job
from napari_brats.workflows.cohort.pipeline import Stage, run_stages
from napari_brats.workflows.cohort.plan import Plan
from napari_brats.workflows.cohort.provenance import write_provenance
from napari_brats.workflows.cohort.record import read_record
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import (
    has_parquet,
    read_table,
    write_parquet,
    write_table,
)
from napari_brats.workflows.report.run import report_run
from napari_brats.workflows.tables import SCORE_HEADER, Cell, csv_text

TABLE_SECONDS = 20.0
"""The table on disk is at most this much older than what is done."""

_TEMPORARY = re.compile(r"\.[0-9a-f]{12}-.+")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    rows : tuple of Row
        What was settled last.
    done, total : int
        Patients.
    failed : int
        Masks that failed in this run.
    seconds : float
        Since it began.
    """

    rows: tuple[Row, ...]
    done: int
    total: int
    failed: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take at this pace; None before the first patient."""
        return self.seconds / self.done * (self.total - self.done) if self.done else None


class Where(Protocol):
    """What does the work: this process (`Here`) or a cluster."""

    def outcomes(self, jobs: Sequence[Job]) -> Generator[list[Row], None, None]:
        """Do the jobs in any order, each once; yields the rows of each.

        No rows are yielded where there is only a notice to hear.
        """
        ...


class Here:
    """In this process: stages in threads, one network at a time.

    Parameters
    ----------
    helpers : int, optional
        Threads for reading, for preprocessing and for writing, each: one for every four
        cores, four at most, unless given.
    """

    def __init__(self, helpers: int | None = None) -> None:
        helpers = helpers or max(1, min(4, (os.cpu_count() or 1) // 4))
        self._stop = Event()
        self.stages = (
            Stage("read", visit.read, helpers),
            Stage("preprocess", visit.prepare, helpers),
            Stage("network", self._network),
            Stage("write", visit.finish, helpers),
        )
        self._in_flight = 2 + 3 * helpers

    def outcomes(self, jobs: Sequence[Job]) -> Generator[list[Row], None, None]:
        """Send all patients through the stages; closing it stops at the next window.

        Raises
        ------
        BratsError
            If there is no such device or engine, or weights cannot be used.
        """
        if jobs:
            makers = dict.fromkeys(maker for job in jobs for maker in job.makers)
            visit.load_all(makers, jobs[0].settings)
        yield from run_stages(self.stages, jobs, self._in_flight, self._stop)

    def _network(self, one: visit.Visit) -> visit.Visit:
        return visit.network(one, self._on_step)

    def _on_step(self, *_: int) -> None:
        if self._stop.is_set():
            raise Cancelled("the run was stopped")


def run_cohort(
    plan: Plan, where: Where | None = None, *, on_notice: Callable[[str], None] | None = None
) -> Generator[Progress, None, None]:
    """Do what is planned.

    Parameters
    ----------
    plan : Plan
        From `plan_cohort`.
    where : Where, optional
        This process by default.
    on_notice : callable, optional
        Takes one line about anything that is left out.

    Yields
    ------
    Progress
        After every patient, and after some notices. Closing the generator stops the run in good
        order: what is done stays, the rest waits.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written, or another run is at work in the output
        folder; what is done stays.
    BratsError
        What ends the whole run, such as a device that is not there or a scheduler that is gone.
    """
    claim = Claim(plan.layout.claim)
    with claim.kept_up():  # jobs may wait in a queue for hours
        _require_alone(claim, plan)
        yield from _run(plan, where or Here(), on_notice or _ignore)


def _require_alone(claim: Claim, plan: Plan) -> None:
    """Refuse a folder that another run is at work in."""
    other = claim.renew()
    if other is not None:
        raise OutputError(
            f"another run is at work in {str(plan.root)!r} (process {other.owner.process} on "
            f"{other.owner.host!r}); wait for its end, or give another folder with --output. One "
            f"that was killed on another computer is waited for {SILENCE_S / 60:.0f} minutes"
        )


def _run(
    plan: Plan, where: Where, on_notice: Callable[[str], None]
) -> Generator[Progress, None, None]:
    """Do `run_cohort` in a folder that is claimed."""
    write_provenance(plan)
    book = _Book(plan)
    start = time.monotonic()
    done = failed = 0
    try:
        with contextlib.closing(where.outcomes(plan.jobs)) as outcomes:
            for rows in outcomes:
                book.add(rows)
                done += bool(rows)
                failed += sum(row.state is State.FAILED for row in rows)
                seconds = time.monotonic() - start
                yield Progress(tuple(rows), done, len(plan.jobs), failed, seconds)
    finally:
        book.close(on_notice)


class _Book:
    """The rows of a run, and the files made from them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        earlier = _earlier(plan)
        self._rows: dict[tuple[str, str], Row | None] = {}
        for patient in plan.patients:
            self._rows.update({(patient.case_id, maker.name): None for maker in plan.makers})
            self._rows.update({row.key: row for row in earlier.pop(patient.case_id, ())})
        self._rows.update({row.key: row for rows in earlier.values() for row in rows})
        self._sources = {job.case_id: str(job.source) for job in plan.jobs}
        self._rows.update({row.key: row for row in plan.kept})
        self._sweep()
        self._write_table()

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows in."""
        self._rows.update({row.key: row for row in rows})
        if time.monotonic() - self._written > TABLE_SECONDS:
            # Windows locks a table that somebody looks at; `close` writes it anyway.
            with contextlib.suppress(OutputError):
                self._write_table()

    def rows(self) -> list[Row]:
        """Return all rows in the order of the patients; what is not done waits."""
        return [row or self._waiting(key) for key, row in self._rows.items()]

    def close(self, on_notice: Callable[[str], None]) -> None:
        """Write everything that is made from the rows."""
        self._sweep()
        rows, layout = self.rows(), self._plan.layout
        self._write_table()
        if has_parquet():
            write_parquet(layout.parquet, rows)
        else:
            on_notice(
                f"{layout.parquet.name} is left out: it needs pyarrow; run "
                'pip install "napari-brats[cluster]"'
            )
        for maker in self._plan.makers:
            scores = self._scores(maker.name, rows)
            if scores:
                text = csv_text(SCORE_HEADER, scores)
                write_text_atomic(layout.scores(maker.name), text)
        report_run(layout, rows)

    def _scores(self, maker: str, rows: Sequence[Row]) -> list[list[Cell]]:
        found: list[list[Cell]] = []
        for row in rows:
            if row.model == maker and row.dice:
                with contextlib.suppress(CaseError):
                    record = read_record(self._plan.layout.record(*row.key))
                    found += (
                        [row.patient, record.task, region, *(values.get(one) for one in METRICS)]
                        for region, values in record.scores.items()
                    )
        return found

    def _write_table(self) -> None:
        write_table(self._plan.layout.csv, self.rows())
        self._written = time.monotonic()

    def _waiting(self, key: tuple[str, str]) -> Row:
        return Row(*key, State.WAITING, source=self._sources[key[0]])

    def _sweep(self) -> None:
        """Take away what a killed process left half-written."""
        for path in self._plan.root.glob("sub-*/.*"):
            if _TEMPORARY.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    path.unlink()


def _earlier(plan: Plan) -> dict[str, list[Row]]:
    """Return what an earlier table holds that this run is not about, by patient.

    That is what other models made or failed at, and other patients' masks as long as they are
    there: who takes a patient out because it fails need not read of it for ever.
    """
    models = {maker.name for maker in plan.makers}
    asked = {patient.case_id for patient in plan.patients}
    found: dict[str, list[Row]] = {}
    if plan.layout.csv.exists():
        with contextlib.suppress(CaseError):
            for row in read_table(plan.layout.csv):
                if row.patient in asked:
                    stays = row.model not in models and row.state is not State.WAITING
                else:
                    stays = row.state is State.DONE and (plan.root / row.mask).is_file()
                if stays:
                    found.setdefault(row.patient, []).append(row)
    return found


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""
