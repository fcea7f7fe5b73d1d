"""The same on real clusters of Dask: workers die, join late, lack something; schedulers restart."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from napari_brats.errors import ClusterError
from napari_brats.volumes import sha256_of
from napari_brats.workflows.cohort.cluster import Cluster, _outcome
from napari_brats.workflows.cohort.job import Settings
from napari_brats.workflows.cohort.plan import Plan, plan_cohort
from napari_brats.workflows.cohort.row import State
from napari_brats.workflows.cohort.run import Progress, run_cohort
from napari_brats.workflows.cohort.starting import Address, Local
from napari_brats.workflows.cohort.table import read_table

pytest.importorskip("distributed", reason="needs the extra cluster")

MakePatients = Callable[[Path, int], Path]
QUICK = Settings(device="cpu", engine="torch", precision="float32", figures=False)
BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("napari", "qtpy", "PyQt6", "PySide6", "magicgui", "superqt"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture
def planned(tmp_path: Path, make_patients: MakePatients, tiny_model: Path) -> Callable[..., Plan]:
    """Return a function that plans a number of patients."""

    def plan(count: int = 12, **options: object) -> Plan:
        source = make_patients(tmp_path / "in", count)
        return plan_cohort(source, tmp_path / "out", [str(tiny_model)], QUICK, **options)

    return plan


@pytest.fixture
def no_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let new processes fail to import napari and Qt; returns their environment."""
    folder = tmp_path / "block"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BLOCK)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    blocked = subprocess.run([sys.executable, "-c", "import qtpy"], capture_output=True, text=True)
    assert "is blocked" in blocked.stderr
    return dict(os.environ)


class Processes:
    """A scheduler and workers as programs of their own, as on a real cluster."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.running: list[subprocess.Popen[bytes]] = []

    def scheduler(self) -> "subprocess.Popen[bytes]":
        return self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def worker(self) -> "subprocess.Popen[bytes]":
        return self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny")

    def _start(self, program: str, *options: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *options, "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.running.append(process)
        return process


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Start programs, and end all of them."""
    found = Processes()
    yield found
    for process in found.running:
        process.kill()
        process.wait()


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def require_all_done_once(plan: Plan, steps: list[Progress]) -> None:
    """Every patient in one step and one row, its mask whole, nothing half-written."""
    told = [row.patient for step in steps for row in step.rows]
    assert sorted(told) == sorted(one.case_id for one in plan.patients)
    rows = read_table(plan.root)
    assert [row.patient for row in rows] == [one.case_id for one in plan.patients]
    assert {row.state for row in rows} == {State.DONE}
    for row in rows:
        assert sha256_of(plan.root / row.mask) == row.mask_sha256
    names = [path.name for path in plan.root.rglob("*") if path.is_file()]
    assert len([name for name in names if "_mask" in name]) == len(rows)
    assert not [name for name in names if name.startswith(".")]


@pytest.mark.slow
def test_a_local_cluster_needs_no_window_and_agrees(
    planned: Callable[..., Plan], no_window: dict[str, str], tmp_path: Path
) -> None:
    """Two workers without napari and Qt make the very masks that one process makes."""
    plan = planned(6)
    before = dict(os.environ)
    steps = list(run_cohort(plan, Cluster(Local(2, "cpu"))))
    assert dict(os.environ) == before
    require_all_done_once(plan, steps)
    here = replace(
        plan, root=tmp_path / "here",
        jobs=tuple(replace(job, root=tmp_path / "here") for job in plan.jobs),
    )  # fmt: skip
    list(run_cohort(here))
    hashes = [[row.mask_sha256 for row in read_table(one.root)] for one in (plan, here)]
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(planned: Callable[..., Plan]) -> None:
    """Dask gives its patients to others; each is done once and none is half-written."""
    plan = planned()
    local = Local(2, "cpu")

    class Watched:
        @contextmanager
        def started(self) -> Iterator[object]:
            with local.started() as self.cluster:
                yield self.cluster

        cure, renew = local.cure, local.renew

    watched, steps = Watched(), []
    for step in run_cohort(plan, Cluster(watched)):
        if not steps:
            psutil.Process(watched.cluster.workers[0].pid).kill()
        steps.append(step)
    require_all_done_once(plan, steps)


@pytest.mark.slow
def test_a_late_worker_takes_over(planned: Callable[..., Plan], processes: Processes) -> None:
    """A run begins without a worker; one comes, another later, and then the first one dies."""
    plan = planned()
    processes.scheduler()
    run = run_cohort(plan, Cluster(Address(processes.address)))
    first = processes.worker()
    steps = [next(run)]
    second = processes.worker()
    _wait_for_workers(processes.address, 2)
    kill(first)
    steps += run
    require_all_done_once(plan, steps)
    assert second.poll() is None


@pytest.mark.slow
def test_a_scheduler_that_restarts_costs_nothing(
    planned: Callable[..., Plan], processes: Processes
) -> None:
    """The run connects again and asks for what is not done; nothing is told twice."""
    plan = planned()
    notices: list[str] = []
    scheduler = processes.scheduler()
    workers = [processes.worker(), processes.worker()]
    run = run_cohort(plan, Cluster(Address(processes.address), on_notice=notices.append))
    steps = [next(run)]
    kill(scheduler)
    for worker in workers:
        with suppress(subprocess.TimeoutExpired):
            worker.wait(5)
        kill(worker)
    processes.scheduler()
    processes.worker()
    steps += run
    require_all_done_once(plan, steps)
    assert any("the scheduler is gone" in line for line in notices)


@pytest.mark.slow
def test_a_model_that_a_worker_lacks(
    planned: Callable[..., Plan], processes: Processes, tiny_model: Path
) -> None:
    """It is refused before the first patient, in words."""
    plan = planned(2)
    maker = replace(plan.makers[0], sha256="0" * 64)
    jobs = tuple(replace(job, makers=(maker,)) for job in plan.jobs)
    processes.scheduler()
    processes.worker()
    _wait_for_workers(processes.address, 1)
    with pytest.raises(ClusterError, match=r"worker tcp.*its weights of .* are others"):
        list(Cluster(Address(processes.address)).outcomes(jobs))
    gone = replace(plan.makers[0], model="nowhere")
    jobs = tuple(replace(job, makers=(gone,)) for job in plan.jobs)
    with pytest.raises(ClusterError, match="no checkpoint 'nowhere'"):
        list(Cluster(Address(processes.address)).outcomes(jobs))


@pytest.mark.slow
def test_an_unreachable_scheduler(planned: Callable[..., Plan], monkeypatch) -> None:
    """One clear error, and no file of the run's own is left in the folder."""
    plan = planned(1)
    monkeypatch.setattr("napari_brats.workflows.cohort.cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(ClusterError, match="cannot be reached"):
        list(run_cohort(plan, Cluster(Address("tcp://127.0.0.1:9"))))
    assert not list(plan.root.glob(".*"))
    assert [row.state for row in read_table(plan.root)] == [State.WAITING]


@pytest.mark.slow
def test_a_late_worker_that_lacks_the_model_is_left_out(
    tmp_path: Path,
    make_patients: MakePatients,
    tiny_model: Path,
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its patients go to those that have it, and a notice says why."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tiny_model.parent))
    source = make_patients(tmp_path / "in", 16)
    plan = plan_cohort(source, tmp_path / "out", ["tiny"], QUICK)
    notices: list[str] = []
    processes.scheduler()
    processes.worker()
    run = run_cohort(plan, Cluster(Address(processes.address), on_notice=notices.append))
    steps = [next(run)]
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "nothing"))
    processes.worker()
    _wait_for_workers(processes.address, 2)
    steps += run
    require_all_done_once(plan, steps)
    assert len(notices) == 1
    assert "is left out: no checkpoint 'tiny'" in notices[0]


@pytest.mark.slow
def test_a_patient_that_kills_its_workers_fails_alone(planned: Callable[..., Plan]) -> None:
    """The reason is kept; a mask that was whole before is not taken back."""
    (job,) = planned(1).jobs

    class Future:
        status = "error"

        def exception(self) -> Exception:
            return RuntimeError("gone")

    (row,) = _outcome(Future(), job).rows
    assert (row.state, row.reason) == (State.FAILED, "unexpected RuntimeError('gone')")
    assert planned(1).jobs[0].case_id == row.patient
    list(run_cohort(planned(1, retry_failed=True)))
    (row,) = _outcome(Future(), job).rows
    assert row.state is State.DONE


def _wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), Client(address, timeout=10, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=50)
            return
    raise AssertionError("no workers")
