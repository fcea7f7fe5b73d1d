"""`Cluster`: the same work on Dask's workers.

Dask shares out the jobs, starts them again where a worker dies and takes in workers that
join late. What it cannot survive is done here: a scheduler that restarts (connect again and
ask for what is not done), and that no worker is left, which `Watch` notices. Results lie on the
shared disk; only rows travel.
"""

import secrets
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_brats.errors import BratsError, CaseError, ClusterError, OutputError
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.cohort.job import Inputs, Job, Maker
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.record import Record, read_record, software, write_record
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.visit import failed_row
from napari_brats.workflows.cohort.watch import Watch
from napari_brats.workflows.cohort.worker import Needs, Outcome, fitness, work

if TYPE_CHECKING:
    from distributed import Client, Future

    from napari_brats.workflows.cohort.starting import Starter

CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 600.0
"""How long a scheduler that was there may be gone."""

_AHEAD = 3
_POLL_SECONDS = 0.02
_MUST_MATCH = ("python", "distributed", "napari_brats")
_DIED = (
    "every worker that tried it died, which is mostly for lack of memory; give the workers "
    "more and run it again"
)


class _LostError(Exception):
    """The scheduler is gone."""


class Cluster:
    """Workers of Dask.

    Parameters
    ----------
    starter : Starter
        Where they come from.
    on_notice : callable, optional
        Takes one line about workers that are left out and schedulers that are gone.
    patience : float
        Seconds that a scheduler may be gone.
    """

    def __init__(
        self,
        starter: "Starter",
        *,
        on_notice: Callable[[str], None] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._starter = starter
        self._say = on_notice or (lambda _: None)
        self._patience = patience

    def outcomes(self, jobs: Sequence[Job]) -> Generator[list[Row], None, None]:
        """Do the jobs on the workers; closing it gives up what has not begun.

        Raises
        ------
        ClusterError
            If the scheduler cannot be reached, or a worker does not fit.
        OutputError
            If the disk is full.
        """
        if not jobs:
            return
        with self._starter.started() as place, _sign(jobs) as needs:
            pending = {job.case_id: job for job in jobs}
            watch = Watch(partial(self._starter.renew, place), self._say, self._starter.cure)
            patience = CONNECT_SECONDS
            while pending:
                try:
                    with _connected(place, patience) as client:
                        _require_fit(client, needs)
                        for rows in _Round(client, needs, self._say, watch).outcomes(pending):
                            if rows:
                                del pending[rows[0].patient]
                                watch.done()
                            yield rows
                except _LostError:
                    patience = self._patience
                    self._say(
                        f"the scheduler is gone with {len(pending)} patients to do; looking for "
                        f"it for {patience:.0f} s"
                    )


class _Round:
    """The work of one connection."""

    def __init__(
        self, client: "Client", needs: Needs, say: Callable[[str], None], watch: Watch
    ) -> None:
        self._client, self._needs, self._say, self._watch = client, needs, say, watch
        self._jobs: dict[str, Job] = {}
        self._unfit: set[str] = set()
        self._count = 0

    def outcomes(self, pending: dict[str, Job]) -> Iterator[list[Row]]:
        """Yield the rows of each job; no more are handed out than keep all workers busy.

        Where there is only something to tell, no rows are yielded.
        """
        from distributed import as_completed

        waiting = iter(list(pending.values()))
        ready = as_completed(loop=self._client.loop)
        while True:
            for _ in range(self._room()):
                job = next(waiting, None)
                if job is None:
                    break
                ready.add(self._submit(job))
            if not self._jobs:
                return
            while not ready.has_ready():
                if self._watch.look(self._threads, len(pending)):
                    yield []
                time.sleep(_POLL_SECONDS)
            future = next(ready)
            job = self._jobs.pop(future.key)
            outcome = _outcome(future, job)
            if outcome.no_room:
                raise OutputError(outcome.no_room)
            if outcome.unfit:
                self._leave_out(outcome.worker, outcome.unfit)
                ready.add(self._submit(job))
                continue
            yield list(outcome.rows)

    def _room(self) -> int:
        return _AHEAD * sum(self._threads().values()) + _AHEAD - len(self._jobs)

    def _threads(self) -> dict[str, int]:
        try:
            return dict(self._client.nthreads())
        except Exception as error:
            raise _LostError from error

    def _submit(self, job: Job) -> "Future[Any]":
        self._count += 1
        key = f"napari-brats-{self._needs.sign}-{job.case_id}-{self._count}"
        where: dict[str, Any] = {}
        try:
            if self._unfit:
                fit = [one for one in self._client.nthreads() if one not in self._unfit]
                where = {"workers": fit, "allow_other_workers": True}
            future: Future[Any] = self._client.submit(
                work, job, self._needs, key=key, pure=False, **where
            )
        except Exception as error:
            raise _LostError from error
        self._jobs[key] = job
        return future

    def _leave_out(self, worker: str, why: str) -> None:
        """Give no more work to a worker that joined and does not fit."""
        if worker not in self._unfit:
            self._unfit.add(worker)
            self._say(f"worker {worker} is left out: {why}")
        if self._unfit >= set(self._client.nthreads()):
            raise ClusterError(f"no worker is left that fits; {worker}: {why}")


def _outcome(future: "Future[Any]", job: Job) -> Outcome:
    """Return what came of a job; a worker's death or a bug are a failure of the patient."""
    from distributed import KilledWorker

    if future.status in ("cancelled", "lost"):
        raise _LostError
    if future.status == "finished":
        found = future.result()
        assert isinstance(found, Outcome)
        return found
    error = future.exception()
    reason = _DIED if isinstance(error, KilledWorker) else f"unexpected {error!r}"
    return Outcome(tuple(_given_up(job, maker, reason) for maker in job.makers))


def _given_up(job: Job, maker: Maker, reason: str) -> Row:
    """Return the row of a mask that was finished before the worker died, else of a failure."""
    layout, failed = Layout(job.root), failed_row(job, maker, reason)
    with suppress(CaseError):
        row = read_record(layout.record(job.case_id, maker.name)).row
        made_with = (row.weights_sha256, row.settings_sha256, row.software)
        wanted = (failed.weights_sha256, failed.settings_sha256, failed.software)
        if row.state is State.DONE and made_with == wanted:
            return row
    write_record(layout, Record(failed, Inputs(())))
    return failed


@contextmanager
def _connected(place: "Any", patience: float) -> "Iterator[Client]":
    """Connect, for as long as it takes but no longer than ``patience`` seconds."""
    from distributed import Client

    deadline = time.monotonic() + patience
    while True:
        try:
            with warnings.catch_warnings():
                # Versions are compared below, in our own words.
                warnings.simplefilter("ignore")
                client = Client(place, timeout=min(patience, CONNECT_SECONDS), set_as_default=False)
            break
        except (OSError, TimeoutError, ValueError) as error:
            if time.monotonic() >= deadline or isinstance(error, ValueError):
                first = (str(error) or type(error).__name__).splitlines()[0]
                raise ClusterError(
                    f"the scheduler {str(place)!r} cannot be reached ({first}); start one with "
                    "`dask scheduler`, and check the address and the firewall"
                ) from error
            time.sleep(1)
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=2)


@contextmanager
def _sign(jobs: Sequence[Job]) -> Iterator[Needs]:
    """Put up a file by which workers know the output folder."""
    name = f".cluster-{secrets.token_hex(6)}"
    makers = dict.fromkeys(maker for job in jobs for maker in job.makers)
    needs = Needs(software(), tuple(makers), jobs[0].settings, jobs[0].root, name)
    write_bytes_atomic(needs.root / name, b"")
    try:
        yield needs
    finally:
        (needs.root / name).unlink(missing_ok=True)


def _require_fit(client: "Client", needs: Needs) -> None:
    """Refuse to begin with a scheduler or workers that cannot do the work.

    Raises
    ------
    ClusterError
        Naming who lacks what. Workers that join later are looked at when they get a job.
    """
    try:
        found = client.get_versions(packages=["napari_brats"])
        _require_same_versions(found)
        reasons = client.run(fitness, needs)
    except BratsError:
        raise
    except (OSError, TimeoutError) as error:
        raise _LostError from error
    except Exception as error:
        raise ClusterError(
            f"the workers cannot take the work ({error!r}); install {needs.software} on all"
        ) from error
    unfit = {worker: why for worker, why in reasons.items() if why}
    if unfit:
        worker, why = next(iter(unfit.items()))
        more = f" (and {len(unfit) - 1} more)" if len(unfit) > 1 else ""
        raise ClusterError(f"worker {worker}{more} cannot do the work: {why}")


def _require_same_versions(found: "Any") -> None:
    ours = found["client"]["packages"]
    others = {"the scheduler": found["scheduler"], **found["workers"]}
    for who, theirs in others.items():
        for name in _MUST_MATCH:
            here, there = (
                _shortened(name, one["packages"].get(name)) for one in ({"packages": ours}, theirs)
            )
            if here != there:
                raise ClusterError(
                    f"{who} has {name} {there}, here it is {here}; install the same version "
                    "everywhere"
                )


def _shortened(name: str, version: str | None) -> str:
    """Return a version as far as it must match: of Python, the first two numbers."""
    parts = (version or "none").split(".")
    return ".".join(parts[:2] if name == "python" else parts)
