"""What takes long with a cohort: reading its folder, ranking, running."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_brats.errors import ClusterError
from napari_brats.widgets.background import Task
from napari_brats.widgets.cohort_panel import CohortPanel
from napari_brats.widgets.cohort_table import CohortTable
from napari_brats.widgets.pace import duration
from napari_brats.widgets.typed_path import typed_path
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.queue import rank_steps
from napari_brats.workflows.review_list import Item, read_items

if TYPE_CHECKING:
    from napari_brats.workflows.cohort.run import Progress, Where

Work = Callable[[Event], Generator[Any, None, Any]]


class CohortWork:
    """Fills the table and keeps it up to date.

    Parameters
    ----------
    table, panel : CohortTable, CohortPanel
        The views.

    Attributes
    ----------
    root : Path or None
        The cohort's folder.
    """

    def __init__(self, table: CohortTable, panel: CohortPanel) -> None:
        self._table = table
        self._panel = panel
        self._reading: Task | None = None
        self._long: Task | None = None
        self._seen: tuple[int, ...] = ()
        self.root: Path | None = None
        panel.folder_entered.connect(lambda path: self.look_in(Path(typed_path(path))))
        panel.rank.clicked.connect(self.rank)
        panel.start.clicked.connect(self.run)
        panel.stop.clicked.connect(self.stop)
        self._show_state()

    def close(self) -> None:
        """Stop what goes on; nobody listens any more."""
        for task in (self._reading, self._long):
            if task is not None:
                task.forget()

    def look_in(self, root: Path) -> None:
        """Read another folder; one without a table may get one by a run."""
        if self._reading is not None:
            self._reading.forget()
            self._reading = None
        self.root = root.absolute()
        self._table.thumbnails.look_in(self.root)
        self._panel.show_asked(*_asked(self.root))
        if (self.root / "cohort.csv").exists():
            self.read()
        else:
            self._seen = self._stamp()
            self._table.show_items([])
            self._panel.show_progress(None, "no cohort.csv in this folder yet: Run makes one")
        self._show_state()

    def follow(self) -> None:
        """Read the folder again if another process has written to it.

        While this one works the table on disk is older than what it reports.
        """
        busy = self._reading is not None or self._long is not None
        if self.root is not None and not busy and self._stamp() != self._seen:
            self.read()

    def read(self) -> None:
        """Read the folder."""
        root = self.root
        if root is None or self._reading is not None:
            return
        self._seen = self._stamp()

        def work(stop: Event) -> Generator[None, None, list[Item]]:
            yield
            return read_items(root)

        self._reading = Task(
            work,
            "Reading the cohort",
            on_report=_ignore,
            on_result=self._table.show_items,
            on_end=self._read_ended,
        )

    def item(self, patient: str) -> Item | None:
        """Return a patient by id."""
        return self._table.model.find(patient)

    def rank(self) -> None:
        """Measure all masks and rank the patients."""
        root = self.root
        if root is not None:
            self._begin("Ranking the cohort", lambda stop: rank_steps(root), self._ranked)

    def run(self) -> None:
        """Make the masks that are missing."""
        root = self.root
        if root is not None:
            asked = self._panel.asked()
            same = asked == _asked(root)
            where = self._panel.where.text().strip()
            self._begin(
                "Segmenting the cohort",
                lambda stop: _running(root, None if same else asked, where),
                lambda report: self._made(root, report),
            )

    def stop(self) -> None:
        """Stop after the patients at hand."""
        if self._long is not None:
            self._long.cancel()
            self._panel.words.setText("stopping")

    def _begin(self, title: str, work: Work, report: Callable[[Any], None]) -> None:
        if self._long is not None:
            return
        self._panel.show_progress((0, 0), title)
        self._long = Task(
            work, title, on_report=report, on_result=_ignore, on_end=self._ended, in_dock=True
        )
        self._show_state()

    def _ranked(self, progress: tuple[int, int]) -> None:
        done, total = progress
        self._panel.show_progress(progress, f"ranked {done} of {total}")

    def _made(self, root: Path, report: "Progress | str") -> None:
        if isinstance(report, str):
            self._panel.show_progress((0, 0), report)
            return
        left = report.seconds_left
        words = f"{report.done} of {report.total}"
        words += f", {report.failed} failed" if report.failed else ""
        words += f", {duration(left)} left" if left else ""
        self._panel.show_progress((report.done, report.total), words)
        for row in report.rows if root == self.root else ():
            item = self.item(row.patient)
            if item is None:
                self._seen = ()
            else:
                self._table.model.replace(replace(item, rows={**item.rows, row.model: row}))

    def _ended(self) -> None:
        self._long = None
        self._panel.show_progress(None)
        self._show_state()
        self.read()

    def _read_ended(self) -> None:
        self._reading = None
        self._show_state()

    def _show_state(self) -> None:
        self._panel.show_state(
            folder=self.root is not None,
            busy=self._long is not None,
            patients=self._table.model.rowCount(),
        )

    def _stamp(self) -> tuple[int, ...]:
        """Return when the table and the queue were written."""
        root = self.root or Path()
        layout = Layout(root)
        files = [layout.csv, layout.queue]
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def _running(
    root: Path, asked: tuple[str, tuple[str, ...]] | None, where: str
) -> "Generator[Progress | str, None, None]":
    from napari_brats.workflows.cohort.plan import plan_cohort
    from napari_brats.workflows.cohort.provenance import plan_again
    from napari_brats.workflows.cohort.run import run_cohort

    yield "looking for patients"
    if asked is None:
        plan, _ = plan_again(root / "provenance.json", root)
    else:
        plan = plan_cohort(asked[0], root, asked[1])
    yield "; ".join(plan.lines())
    notices: list[str] = []
    place = _place(where, notices.append)
    for progress in run_cohort(plan, place, on_notice=notices.append):
        yield progress
        while notices:
            yield notices.pop(0)


def _place(where: str, on_notice: Callable[[str], None]) -> "Where | None":
    """Return what does the work: this process, or the workers of a scheduler that runs.

    Raises
    ------
    ClusterError
        If Dask is not installed.
    """
    if not where:
        return None
    from napari_brats.workflows.cohort.cluster import Cluster
    from napari_brats.workflows.cohort.starting import Address

    address = Address(where)
    try:
        address.require()
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"a cluster needs the package {error.name!r}, which is not installed; "
            'run pip install "napari-brats[cluster]"'
        ) from error
    return Cluster(address, on_notice=on_notice)


def _asked(root: Path) -> tuple[str, tuple[str, ...]]:
    """Return the source and the models that a folder was made from; nothing where unknown."""
    try:
        content = json.loads((root / "provenance.json").read_text(encoding="utf-8"))
        return str(content["source"]), tuple(str(one["model"]) for one in content["models"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ()


def _ignore(_: object) -> None:
    """Take a report that says nothing."""
