"""``napari-brats cohort``: find the tumor in many patients, here or on a cluster."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.cli.cohort_outcome import rank, tell
from napari_brats.cli.options import add_json, add_labels, add_running
from napari_brats.errors import BratsError, ClusterError
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.workflows.cohort.starting import JOB_SYSTEMS

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal
    from napari_brats.workflows.cohort.plan import Plan
    from napari_brats.workflows.cohort.row import Row
    from napari_brats.workflows.cohort.run import Progress, Where

SOME_FAILED = 1
SAMPLE = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "source",
        type=Path,
        nargs="?",
        metavar="DIR|MANIFEST",
        help="folder with patients of any edition, or a .csv, .tsv or .json that lists them",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="M[,M2...]",
        help="models, each makes a mask of its own; several joined by + are averaged "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="OUT", help="folder for all results, outside the source"
    )
    add_running(parser)
    parser.add_argument(
        "--probabilities", action="store_true", help="also write the probabilities of WT, TC, ET"
    )
    parser.add_argument("--no-figures", action="store_true", help="draw no pictures")
    parser.add_argument(
        "--no-queue", action="store_true", help="do not rank the patients, worst first, at the end"
    )
    add_labels(parser, "what the codes mean, in references and in the masks to write")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
    parser.add_argument(
        "--retry-failed", action="store_true", help="try again what failed in an earlier run"
    )
    parser.add_argument(
        "--verify",
        type=int,
        nargs="?",
        const=SAMPLE,
        metavar="N",
        help="make N of the masks that are done again (%(const)s unless given) and compare them "
        "voxel by voxel",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="do what a provenance.json says, with --output in another folder",
    )
    _add_cluster(parser)
    add_json(parser)


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster (needs the extra 'cluster')")
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes on this computer, on a GPU each; with a batch system, jobs",
    )
    group.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs already")
    for name in JOB_SYSTEMS:
        group.add_argument(
            f"--{name}", dest="system", action="store_const", const=name, help=argparse.SUPPRESS
        )
    group.add_argument(
        "--job-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"for dask-jobqueue, with one of --{', --'.join(JOB_SYSTEMS)}",
    )


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Plan, run, say what came of it."""
    plan = _plan(args, terminal)
    for line in plan.lines(args.workers or 1):
        terminal.notice(line)
    if args.verify is not None:
        return _verify(plan, args.verify, terminal)
    if args.dry_run:
        if terminal.json:
            terminal.result(plan.to_json())
        return 0
    return _run(plan, _where(args, terminal), terminal, queue=not args.no_queue)


def _plan(args: argparse.Namespace, terminal: "Terminal") -> "Plan":
    from napari_brats.workflows.cohort.job import Settings
    from napari_brats.workflows.cohort.plan import plan_cohort
    from napari_brats.workflows.cohort.provenance import plan_again

    if args.replay is not None:
        if args.source is not None:
            raise BratsError("--replay knows the patients; give no folder beside it")
        plan, notes = plan_again(args.replay, args.output, retry_failed=args.retry_failed)
        for note in notes:
            terminal.notice(note)
        return plan
    if args.source is None or args.output is None:
        lacking = "a folder or manifest of patients" if args.source is None else "--output OUT"
        raise BratsError(f"{lacking} is missing; see napari-brats cohort --help")
    settings = Settings(
        device=args.device,
        precision=args.precision,
        engine=args.engine,
        mirror=args.mirror,
        labels=args.labels,
        probabilities=args.probabilities,
        figures=not args.no_figures,
    )
    models = [name for name in args.model.split(",") if name]
    return plan_cohort(args.source, args.output, models, settings, retry_failed=args.retry_failed)


def _where(args: argparse.Namespace, terminal: "Terminal") -> "Where | None":
    """Return who does the work; None for this process."""
    if args.workers is not None and args.workers < 1:
        raise ClusterError(f"--workers {args.workers} does no work; give 1 or more")
    if args.scheduler and (args.system or args.workers):
        raise ClusterError("--scheduler joins workers that run; give no --workers beside it")
    if args.job_option and not args.system:
        raise ClusterError(
            f"--job-option is for a batch system; give one of --{', --'.join(JOB_SYSTEMS)}"
        )
    if not (args.workers or args.scheduler or args.system):
        return None
    with _needs_extra():
        from napari_brats.workflows.cohort import starting
        from napari_brats.workflows.cohort.cluster import Cluster

        starter: starting.Starter
        if args.scheduler:
            starter = starting.Address(args.scheduler)
        elif args.system:
            options = starting.parse_options(args.job_option)
            starter = starting.JobSystem(args.system, args.workers or 1, options)
        else:
            starter = starting.Local(args.workers, args.device)
        starter.require()
        return Cluster(starter, on_notice=terminal.notice)


@contextmanager
def _needs_extra() -> Iterator[None]:
    """Say what to install where Dask lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"a cluster needs the package {error.name!r}, which is not installed; "
            'run pip install "napari-brats[cluster]"'
        ) from error


def _run(plan: "Plan", where: "Where | None", terminal: "Terminal", *, queue: bool) -> int:
    from napari_brats.workflows.cohort.run import run_cohort

    last: Progress | None = None
    with (
        _bar(len(plan.jobs)) as show,
        closing(run_cohort(plan, where, on_notice=terminal.notice)) as steps,
    ):
        for last in steps:
            for row in last.rows:
                if row.reason:
                    terminal.notice(f"failed: {row.patient}, {row.model}: {row.reason}")
            show(last)
    rows = _rows(plan)
    queued = rank(plan, terminal) if queue else []
    tell(plan, rows, queued, last.seconds if last else 0.0, terminal)
    return SOME_FAILED if any(row.reason for row in rows) else 0


def _rows(plan: "Plan") -> "list[Row]":
    """Return the table's rows of the patients and models that were asked for."""
    from napari_brats.workflows.cohort.table import read_table

    asked = {(one.case_id, maker.name) for one in plan.patients for maker in plan.makers}
    return [row for row in read_table(plan.layout.csv) if row.key in asked]


def _verify(plan: "Plan", count: int, terminal: "Terminal") -> int:
    from napari_brats.workflows.cohort.verify import verify

    checks = []
    with terminal.progress("verifying") as on_step:
        for check in verify(plan, count):
            checks.append(check)
            on_step(len(checks), count)
            if check.different:
                terminal.notice(
                    f"{check.patient}, {check.model}: {check.different} of {check.voxels} voxels "
                    "differ"
                )
    if not checks:
        raise BratsError("nothing is done yet that could be verified; run without --verify first")
    differ = sum(check.different > 0 for check in checks)
    terminal.answer(
        f"{len(checks)} masks made again: {len(checks) - differ} identical, {differ} differ",
        verified=len(checks),
        differ=[
            {"patient": one.patient, "model": one.model, "voxels": one.different}
            for one in checks
            if one.different
        ],
    )
    return SOME_FAILED if differ else 0


@contextmanager
def _bar(total: int) -> "Iterator[Callable[[Progress], None]]":
    """Show a bar with the time left and the failures so far on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from napari_brats.workflows.cohort.plan import in_words

    columns: tuple[Any, ...] = (
        TextColumn("patients"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def show(progress: "Progress") -> None:
            left = progress.seconds_left
            words = "" if left is None else f"{in_words(left)} left"
            failures = f", {progress.failed} failed" if progress.failed else ""
            bar.update(task, completed=progress.done, description=words + failures)

        yield show
