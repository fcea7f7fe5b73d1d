"""What a run would do: how many patients, how long, how much disk."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from napari_brats.errors import BratsError, OutputError
from napari_brats.inference.costs import Costs
from napari_brats.naming import PatientFiles
from napari_brats.workflows.cohort.job import Inputs, Job, Maker, Settings, makers_of
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.patients import cohort_patients, require_apart
from napari_brats.workflows.cohort.record import standing
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.outputs import check_folder

# On BraTS's grid of 240 x 240 x 155, a little more than the most that eight validation
# patients and two networks took: the plan must not promise too much room. A mask's record
# counts with it.
MASK_BYTES, PROBABILITY_BYTES, FIGURE_BYTES = 50_000, 8_000_000, 180_000
_READERS = 8


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Parameters
    ----------
    source : Path
        Folder or manifest.
    root : Path
        The output folder.
    settings : Settings
        How.
    makers : tuple of Maker
        The models.
    patients : tuple of PatientFiles
        All of them.
    jobs : tuple of Job
        Those to do, each with the models that lack.
    kept : tuple of Row
        Earlier results that are still valid, failures among them.
    free_bytes : int
        On the disk of the output folder.
    """

    source: Path
    root: Path
    settings: Settings
    makers: tuple[Maker, ...]
    patients: tuple[PatientFiles, ...]
    jobs: tuple[Job, ...]
    kept: tuple[Row, ...]
    free_bytes: int

    @property
    def layout(self) -> Layout:
        """Where everything goes."""
        return Layout(self.root)

    @property
    def masks(self) -> int:
        """How many masks are to be made."""
        return sum(len(job.makers) for job in self.jobs)

    @property
    def disk_bytes(self) -> int:
        """About how much will be written."""
        settings = self.settings
        beside = PROBABILITY_BYTES * settings.probabilities + FIGURE_BYTES * settings.figures
        return self.masks * (MASK_BYTES + beside)

    def seconds(self, workers: int = 1) -> float | None:
        """Return about how long it will take, None where a model has never run here.

        Stages overlap, and workers are as fast as this computer, or it will be another number.
        """
        costs = Costs.load()
        total = 0.0
        for maker in self.makers:
            count = sum(maker in job.makers for job in self.jobs)
            known = costs.expect(maker.name)
            each = None if known is None else known.seconds or known.first_seconds
            if count and each is None:
                return None
            total += count * (each or 0.0)
        return total / workers

    def lines(self, workers: int = 1) -> list[str]:
        """Say it in words, one line each."""
        failed = sum(row.state is State.FAILED for row in self.kept)
        done = len(self.kept) - failed
        lines = [
            f"{_count(len(self.patients), 'patient')} in {self.source}, "
            f"{_count(len(self.makers), 'model')}: {', '.join(one.name for one in self.makers)}",
            f"to do: {_count(self.masks, 'mask')} of {_count(len(self.jobs), 'patient')}"
            + (f"; {done} already done" if done else "")
            + (f"; {failed} failed before (--retry-failed tries again)" if failed else ""),
        ]
        if self.jobs:
            seconds = self.seconds(workers)
            lines.append(
                "time: not known, no such model has run on this computer yet"
                if seconds is None
                else f"time: about {in_words(seconds)}, from earlier runs on this computer"
            )
            lines.append(
                f"disk: about {_size(self.disk_bytes)} in {self.root} ({_size(self.free_bytes)} "
                "are free)"
            )
        return lines

    def to_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "source": str(self.source),
            "output": str(self.root),
            "models": [maker.name for maker in self.makers],
            "patients": len(self.patients),
            "to_do": self.masks,
            "kept": len(self.kept),
            "expected_seconds": self.seconds(),
            "disk_bytes": self.disk_bytes,
            "free_bytes": self.free_bytes,
        }


def plan_cohort(
    source: str | Path,
    output: str | Path,
    models: Sequence[str],
    settings: Settings | None = None,
    *,
    retry_failed: bool = False,
    patients: Sequence[PatientFiles] | None = None,
) -> Plan:
    """Look at everything that can be looked at before the first network runs.

    Parameters
    ----------
    source : str or Path
        As `cohort_patients` takes it.
    output : str or Path
        Folder for all results; made where it lacks.
    models : sequence of str
        As `segment` takes them, a mask each.
    settings : Settings, optional
        How; the defaults without.
    retry_failed : bool
        Whether what failed before is tried again.
    patients : sequence of PatientFiles, optional
        Instead of looking for them in the source.

    Returns
    -------
    Plan

    Raises
    ------
    BratsError
        If there are no patients, two have one name, a model lacks, or the output folder lies
        among the patients, cannot be written or has too little room.
    """
    source, root = Path(source).absolute(), Path(output).absolute()
    settings = settings or Settings()
    makers = makers_of(models, settings)
    found = list(patients) if patients is not None else cohort_patients(source)
    require_apart(source, found, root)
    check_folder(root, "--output")
    jobs = [Job(one, makers, settings, root, retry_failed) for one in found]
    with ThreadPoolExecutor(_READERS) as pool:
        stands = list(pool.map(_stand, jobs))
    kept = {row.key: row for rows in stands for row in rows}
    left = [
        replace(job, makers=tuple(one for one in makers if (job.case_id, one.name) not in kept))
        for job in jobs
    ]
    plan = Plan(
        source=source,
        root=root,
        settings=settings,
        makers=makers,
        patients=tuple(found),
        jobs=tuple(job for job in left if job.makers),
        kept=tuple(kept.values()),
        free_bytes=_free_bytes(root),
    )
    if plan.disk_bytes > plan.free_bytes:
        raise OutputError(
            f"{str(root)!r} has {_size(plan.free_bytes)} of free space, the masks need about "
            f"{_size(plan.disk_bytes)}; free some, or choose another folder with --output"
        )
    return plan


def in_words(seconds: float) -> str:
    """Return a duration for people, e.g. ``"2 h 5 min"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _stand(job: Job) -> list[Row]:
    """Return what is done of a patient; one without records costs no reading."""
    layout = Layout(job.root)
    if not any(layout.record(job.case_id, maker.name).exists() for maker in job.makers):
        return []
    try:
        inputs = Inputs.of(job.patient)
    except BratsError:
        return []
    rows = (standing(job, maker, inputs) for maker in job.makers)
    return [row for row in rows if row is not None]


def _free_bytes(folder: Path) -> int:
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(existing).free


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
