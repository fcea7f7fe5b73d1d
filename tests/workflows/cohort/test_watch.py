"""A run without workers says so once; jobs that worked and ended are asked for again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from napari_brats.workflows.cohort.job import Settings
from napari_brats.workflows.cohort.plan import plan_cohort
from napari_brats.workflows.cohort.row import State
from napari_brats.workflows.cohort.run import run_cohort
from napari_brats.workflows.cohort.starting import JOB_SYSTEMS, JobSystem
from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.cohort.watch import LOOK_SECONDS, SILENCE_SECONDS, Watch


class Site:
    """A batch system with a clock of its own."""

    def __init__(self) -> None:
        self.now, self.workers, self.ended = 0.0, ["one"], 0
        self.asked: list[int] = []
        self.lines: list[str] = []
        self.watch = Watch(self.renew, self.lines.append, "look at the queue", lambda: self.now)

    def renew(self) -> int:
        self.asked.append(self.ended)
        return self.ended

    def pass_by(self, seconds: float) -> list[str]:
        """Wait, look all the while, and return what was said."""
        self.lines.clear()
        end = self.now + seconds
        while self.now < end:
            self.now += 1
            before = len(self.lines)
            assert self.watch.look(lambda: self.workers, 7) == (len(self.lines) > before)
        return list(self.lines)


def test_silence_is_told_once() -> None:
    """Neither at once nor again and again; anew after workers were there."""
    site = Site()
    assert not site.pass_by(3 * SILENCE_SECONDS)
    site.workers = []
    assert not site.pass_by(SILENCE_SECONDS - LOOK_SECONDS)
    (line,) = site.pass_by(5 * SILENCE_SECONDS)
    assert line.startswith("no worker for 5 minutes, patients to do: 7; look at the queue.")
    site.workers = ["one"]
    assert not site.pass_by(LOOK_SECONDS)
    site.workers = []
    assert len(site.pass_by(2 * SILENCE_SECONDS)) == 1


def test_jobs_are_asked_for_again_where_patients_get_done() -> None:
    """Once for those that ended; not for jobs that end without having done any."""
    site = Site()
    site.ended = 3
    assert not site.pass_by(10 * LOOK_SECONDS)
    assert not site.asked
    site.watch.done()
    (line,) = site.pass_by(10 * LOOK_SECONDS)
    assert line.startswith("jobs that have ended")
    assert line.endswith("asked for again: 3; patients to do: 7")
    assert site.asked == [3]
    site.watch.done()
    assert len(site.pass_by(LOOK_SECONDS)) == 1


def test_jobs_that_dask_does_not_miss_yet_are_looked_for_again() -> None:
    """It takes a while until a worker that is gone counts as lost."""
    site = Site()
    site.watch.done()
    assert not site.pass_by(2 * LOOK_SECONDS)
    site.ended = 1
    assert len(site.pass_by(2 * LOOK_SECONDS)) == 1
    assert site.asked == [0, 0, 1]


@pytest.mark.slow
# The stand-in does not close the pipes of the processes that it starts.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_job_that_ends_with_its_time_is_asked_for_again(
    tmp_path: Path,
    make_patients: Callable[[Path, int], Path],
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The only job is killed as at its walltime; another does the rest, and a notice says so.

    It runs on dask-jobqueue's own stand-in for a batch system.
    """
    jobqueue = pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
    import dask
    from dask_jobqueue.local import LocalCluster, LocalJob

    from napari_brats.workflows.cohort.cluster import Cluster

    def end(job_id: str) -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(job_id))
            for one in (*process.children(recursive=True), process):
                one.kill()

    class Job(LocalJob):
        @classmethod
        async def _close_job(cls, job_id: str, cancel_command: str) -> None:
            end(job_id)

    class Jobs(JobSystem):
        def _options(self) -> dict[str, object]:
            return {"cores": 1, "processes": 1, "memory": "2GB"}  # it knows no prologue

        @contextmanager
        def started(self) -> Iterator[Any]:
            with super().started() as cluster:
                clusters.append(cluster)
                yield cluster

    stand_in = type("StandIn", (LocalCluster,), {"job_cls": Job})
    monkeypatch.setattr(jobqueue, "StandIn", stand_in, raising=False)
    monkeypatch.setitem(JOB_SYSTEMS, "local", "StandIn")
    monkeypatch.setattr("napari_brats.workflows.cohort.watch.LOOK_SECONDS", 0.5)
    quick = Settings(device="cpu", engine="torch", precision="float32", figures=False)
    source = make_patients(tmp_path / "in", 8)
    plan = plan_cohort(source, tmp_path / "out", [str(tiny_model)], quick)
    clusters: list[Any] = []
    notices: list[str] = []
    done: list[str] = []
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):
        for step in run_cohort(plan, Cluster(Jobs("local", 1), on_notice=notices.append)):
            if not done:
                # No job is kept by name: Dask wants those that are gone to be forgotten.
                end(next(iter(clusters[0].workers.values())).job_id)
            done += [row.patient for row in step.rows]
    assert sorted(done) == [one.case_id for one in plan.patients]
    assert {row.state for row in read_table(plan.root)} == {State.DONE}
    assert [line.partition(";")[0] for line in notices] == [
        "jobs that have ended, mostly because their time was over, are asked for again: 1"
    ]
