"""Where workers come from: this computer, a scheduler that runs already, a batch system."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from napari_brats.errors import ClusterError

if TYPE_CHECKING:
    from distributed.deploy.cluster import Cluster

_ERROR = 40  # level of the standard library's logging
THREADS = 2
"""Of a local worker: one patient is read or written while another is in the network."""

JOB_SYSTEMS: Mapping[str, str] = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
}
"""Batch systems by option, and what dask-jobqueue calls them."""


class Starter(Protocol):
    """Gives an address to connect to, or a cluster of Dask, while it is entered."""

    @property
    def cure(self) -> str:
        """What to do where no worker is there."""
        ...

    def require(self) -> None:
        """Raise ModuleNotFoundError where a package lacks."""
        ...

    def started(self) -> "AbstractContextManager[Cluster | str]":
        """Start, and end."""
        ...

    def renew(self, place: "Cluster | str") -> int:
        """Ask for what has ended too early, where ``started`` gave ``place``; return how much."""
        ...


@dataclass(frozen=True)
class Local:
    """Workers on this computer, each a process; on a GPU each.

    Parameters
    ----------
    workers : int
        How many.
    device : str
        As `segment` takes it.
    """

    workers: int
    device: str = "auto"

    @property
    def cure(self) -> str:
        """What to do where no worker is there."""
        return "they cannot start here: look at the computer's free memory"

    def require(self) -> None:
        """Raise ModuleNotFoundError where a package lacks."""
        import_module("distributed")

    @contextmanager
    def started(self) -> "Iterator[Cluster | str]":
        """Start the workers, and end them.

        Raises
        ------
        ClusterError
            If there are fewer GPUs than workers.
        """
        from distributed import Nanny, Scheduler, SpecCluster
        from distributed.system import MEMORY_LIMIT

        gpus = self._gpus()
        host = {"host": "127.0.0.1", "dashboard": False}
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        options = {
            **host,
            "nthreads": THREADS,
            "memory_limit": MEMORY_LIMIT // self.workers,
            "silence_logs": _ERROR,
        }
        workers = {
            n: {
                "cls": Nanny,
                "options": {
                    **options,
                    "env": {
                        "OMP_NUM_THREADS": str(threads),
                        **({"CUDA_VISIBLE_DEVICES": str(n)} if gpus else {}),
                    },
                },
            }
            for n in range(self.workers)
        }
        scheduler = {"cls": Scheduler, "options": {**host, "port": 0}}
        before = dict(os.environ)
        try:
            with SpecCluster(workers=workers, scheduler=scheduler, silence_logs=_ERROR) as cluster:
                yield cluster
        finally:
            # Nannies set variables such as OMP_NUM_THREADS for this process as well.
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)

    def renew(self, place: "Cluster | str") -> int:
        """Do nothing: Dask starts a process again that has ended."""
        return 0

    def _gpus(self) -> int:
        from napari_brats.inference.devices import available_devices

        kind, _, number = self.device.partition(":")
        if kind not in ("auto", "cuda"):
            return 0
        gpus = sum(one.kind == "cuda" for one in available_devices())
        if number and self.workers > 1:
            raise ClusterError(
                f"{self.device!r} is one GPU and {self.workers} workers were asked for; give "
                "--device cuda, or --workers 1"
            )
        if number or 0 < gpus < self.workers:
            found = f"{gpus} GPU{'s' * (gpus != 1)}"
            if gpus < self.workers:
                raise ClusterError(
                    f"{self.workers} workers were asked for and there are {found}, one a worker; "
                    f"give --workers {gpus}, or --device cpu"
                )
            return 0
        return gpus


@dataclass(frozen=True)
class Address:
    """A scheduler that runs already.

    Parameters
    ----------
    address : str
        Such as ``"tcp://host:8786"``.
    """

    address: str

    @property
    def cure(self) -> str:
        """What to do where no worker is there."""
        return f"start one with `dask worker {self.address}`"

    def require(self) -> None:
        """Raise ModuleNotFoundError where a package lacks."""
        import_module("distributed")

    @contextmanager
    def started(self) -> "Iterator[Cluster | str]":
        """Give the address; the scheduler goes on afterwards."""
        yield self.address

    def renew(self, place: "Cluster | str") -> int:
        """Do nothing: who started the workers knows how."""
        return 0


@dataclass(frozen=True)
class JobSystem:
    """Workers as jobs of a batch system, each one process that uses all cores of its job.

    Parameters
    ----------
    system : str
        Row of `JOB_SYSTEMS`.
    jobs : int
        How many.
    options : Mapping[str, Any]
        Handed on to the class of dask-jobqueue, e.g. ``queue``, ``cores``, ``memory``. What
        is not given is taken from Dask's configuration.
    """

    system: str
    jobs: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cure(self) -> str:
        """What to do where no worker is there."""
        return (
            "look whether the batch system still holds the jobs back, and, if they ended, in "
            "their logs why"
        )

    def require(self) -> None:
        """Raise ModuleNotFoundError where a package lacks."""
        import_module("dask_jobqueue")

    @contextmanager
    def started(self) -> "Iterator[Cluster | str]":
        """Submit the jobs, and end them.

        Raises
        ------
        ClusterError
            If dask-jobqueue does not take the options.
        """
        import dask_jobqueue

        name, options = JOB_SYSTEMS[self.system], self._options()
        try:
            cluster = getattr(dask_jobqueue, name)(**options)
        except (TypeError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise ClusterError(
                f"{name} of dask-jobqueue refuses the options {options}: {first}; "
                "correct them with --job-option KEY=VALUE"
            ) from error
        with cluster:
            cluster.scale(jobs=self.jobs)
            yield cluster

    def renew(self, place: "Cluster | str") -> int:
        """Ask for jobs again whose worker was there and is gone; not for those that still wait.

        Adaptive scaling would not: its plan still counts a job that has ended. A job of several
        processes is not found, as its workers have other names than the job.
        """
        cluster: Any = place
        ended = len(set(cluster.worker_spec) - set(cluster.workers))
        if ended:
            cluster.scale(jobs=self.jobs)
        return ended

    def _options(self) -> dict[str, Any]:
        """Return the options, where nobody said otherwise with one process a job and its threads.

        By itself dask-jobqueue cuts a job into several processes, which would share its GPU,
        and Dask leaves each of them one thread to compute in.
        """
        processes = self._setting("processes") or 1
        options = {**self.options, "processes": processes}
        cores = self._setting("cores")
        if cores:
            threads = f"export OMP_NUM_THREADS={max(1, cores // processes)}"
            prologue = self._setting("job_script_prologue") or []
            options["job_script_prologue"] = [threads, *prologue]  # theirs comes later, and wins
        return options

    def _setting(self, name: str) -> Any:
        """Return an option, else what Dask's configuration says, else None."""
        import dask

        written = f"jobqueue.{self.system}.{name.replace('_', '-')}"
        return self.options.get(name, dask.config.get(written, None))


def parse_options(given: list[str]) -> dict[str, Any]:
    """Return ``KEY=VALUE`` texts as keyword arguments; a value that is JSON is read as such.

    Raises
    ------
    ClusterError
        For a text without ``=``.
    """
    options: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ClusterError(f"{text!r} is no KEY=VALUE; write e.g. --job-option cores=8")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options
