"""How clusters are started: batch systems and their options, GPUs, equal versions."""

from pathlib import Path

import pytest

from napari_brats.errors import ClusterError
from napari_brats.workflows.cohort.starting import (
    JOB_SYSTEMS,
    JobSystem,
    Local,
    parse_options,
)

pytest.importorskip("distributed", reason="needs the extra cluster")


def test_other_versions_are_named() -> None:
    """Python by its first two numbers, Dask and ourselves by all."""
    from napari_brats.workflows.cohort.cluster import _require_same_versions as require

    ours = {"packages": {"python": "3.11.2", "distributed": "1.0", "napari_brats": "0.1"}}
    patch = {"packages": {**ours["packages"], "python": "3.11.9"}}
    require({"client": ours, "scheduler": ours, "workers": {"tcp://a": patch}})
    old = {"packages": {**ours["packages"], "napari_brats": None}}
    with pytest.raises(ClusterError, match=r"tcp://a has napari_brats none, here it is 0\.1"):
        require({"client": ours, "scheduler": ours, "workers": {"tcp://a": old}})


def test_options_of_batch_systems() -> None:
    """Numbers and lists are read as such, other words as text."""
    given = ["cores=4", "memory=8GB", 'job_extra_directives=["--gres=gpu:1"]', "a=b=c"]
    assert parse_options(given) == {
        "cores": 4, "memory": "8GB", "job_extra_directives": ["--gres=gpu:1"], "a": "b=c",
    }  # fmt: skip
    with pytest.raises(ClusterError, match="KEY=VALUE"):
        parse_options(["cores"])


@pytest.mark.slow
# A cluster that dask-jobqueue gives up half-made complains when it is collected.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_batch_system_refuses_unknown_options() -> None:
    """What dask-jobqueue itself does not take is named."""
    pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
    with (
        pytest.raises(ClusterError, match="SLURMCluster of dask-jobqueue refuses"),
        JobSystem("slurm", 1, {"cores": 1}).started(),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("system", JOB_SYSTEMS)
def test_options_reach_the_batch_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows are classes of dask-jobqueue; options are handed on, the jobs asked for.

    A job is one process that computes in all of its cores.
    """
    jobqueue = pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
    assert isinstance(getattr(jobqueue, JOB_SYSTEMS[system]), type)
    asked: list[object] = []

    class Recorder:
        def __init__(self, **options: object) -> None:
            asked.append(options)

        def __enter__(self) -> "Recorder":
            return self

        def __exit__(self, *_: object) -> None:
            asked.append("ended")

        def scale(self, *, jobs: int) -> None:
            asked.append(jobs)

    monkeypatch.setattr(jobqueue, JOB_SYSTEMS[system], Recorder)
    with JobSystem(system, 3, {"cores": 4}).started() as cluster:
        assert isinstance(cluster, Recorder)
    alone = {"cores": 4, "processes": 1, "job_script_prologue": ["export OMP_NUM_THREADS=4"]}
    assert asked == [alone, 3, "ended"]


@pytest.mark.slow
def test_what_a_site_says_about_jobs_is_kept(tmp_path: Path) -> None:
    """Processes and prologue that somebody chose stay, and stand after ours in the script."""
    jobqueue = pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
    import dask

    site = {"jobqueue.slurm": {"cores": 8, "processes": 2, "job-script-prologue": ["module x"]}}
    with dask.config.set(site):
        options = JobSystem("slurm", 1, {"memory": "1GB"})._options()
        assert JobSystem("slurm", 1, {"processes": 4})._options()["job_script_prologue"] == [
            "export OMP_NUM_THREADS=2", "module x",
        ]  # fmt: skip
    assert options == {
        "memory": "1GB",
        "processes": 2,
        "job_script_prologue": ["export OMP_NUM_THREADS=4", "module x"],
    }
    given = {"cores": 4, "memory": "4GB", "log_directory": str(tmp_path)}
    job = jobqueue.slurm.SLURMJob("tcp://here:1", **JobSystem("slurm", 1, given)._options())
    script = job.job_script()
    assert script.index("export OMP_NUM_THREADS=4") < script.index("dask_worker")
    assert "--nthreads 4" in script
    assert "--nworkers" not in script


def test_gpus_are_one_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """More workers than GPUs, or several on one named GPU, are refused."""
    from napari_brats.inference import devices

    gpu = devices.DeviceChoice("cuda", "bfloat16", "GPU", 0)
    monkeypatch.setattr(devices, "available_devices", lambda: [gpu])
    assert Local(1, "auto")._gpus() == 1
    assert Local(4, "cpu")._gpus() == 0
    with pytest.raises(ClusterError, match="2 workers were asked for and there are 1 GPU"):
        Local(2, "auto")._gpus()
    with pytest.raises(ClusterError, match="'cuda:0' is one GPU"):
        Local(2, "cuda:0")._gpus()
