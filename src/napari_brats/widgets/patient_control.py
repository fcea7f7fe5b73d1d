"""List patients and open one, without ever holding up the window."""

from collections import deque
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from napari_brats.widgets.background import Task, soon
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.opening import (
    Arrival,
    Opened,
    PatientRow,
    list_patients,
    warm_up,
)
from napari_brats.widgets.patients_panel import PatientsPanel
from napari_brats.widgets.preferences import preferences
from napari_brats.widgets.prefetch import Prefetch
from napari_brats.widgets.typed_path import typed_path


@dataclass(frozen=True)
class Coming:
    """A patient who is on the way, and how far the desk was cleared for him.

    Parameters
    ----------
    row : PatientRow
        The patient.
    given_up : frozenset
        The unsaved edits that the person gave up for him.
    whole : bool
        As `Desk.whole`.
    """

    row: PatientRow
    given_up: frozenset[Hashable]
    whole: bool


class PatientControl:
    """Fills the patients' list and puts the chosen patient on the desk.

    Parameters
    ----------
    desk : Desk
        Holds the patient at hand.
    panel : PatientsPanel
        The view.
    may_leave : callable
        Asks about unsaved edits and says whether the patient at hand may be put away.
    unsaved : callable
        Returns the unsaved edits as a set that grows with the next stroke.

    Attributes
    ----------
    on_opened : list of callable
        Called when all layers of a patient are there.
    on_leaving : list of callable
        Called before the layers of the patient at hand go.
    on_settled : list of callable
        Called when a patient has come, or none comes.
    """

    def __init__(
        self,
        desk: Desk,
        panel: PatientsPanel,
        may_leave: Callable[[], bool],
        unsaved: Callable[[], frozenset[Hashable]],
    ) -> None:
        self._desk = desk
        self._panel = panel
        self._may_leave = may_leave
        self._unsaved = unsaved
        self._given_up: frozenset[Hashable] = frozenset()
        self._listing: Task | None = None
        self._opening: Task | None = None
        self._coming: PatientRow | None = None
        self._image: Path | None = None
        self._queue: deque[Callable[[], None]] = deque()
        self._fresh = True
        self.prefetch = Prefetch()
        self._direction = 1
        self.on_leaving: list[Callable[[], None]] = []
        self.on_opened: list[Callable[[], None]] = []
        self.on_settled: list[Callable[[], None]] = []
        self._warming = Task(
            lambda stop: warm_up(),
            "Loading napari's layers",
            on_report=_ignore,
            on_result=_ignore,
            on_end=lambda: None,
        )
        panel.path_entered.connect(self.find)
        panel.patient_chosen.connect(self.open)

    @property
    def idle(self) -> bool:
        """Whether nothing is being looked for or read."""
        return self._listing is None and self._opening is None

    def close(self) -> None:
        """Stop what is going on."""
        self._queue.clear()
        self.prefetch.drop()
        for task in (self._warming, self._listing, self._opening):
            if task is not None:
                task.forget()

    def find(self, path: str) -> None:
        """Show the patients at a path; a single one is opened at once."""
        if self._listing is not None:
            self._listing.forget()

        def work(stop: Event) -> Generator[None, None, list[PatientRow]]:
            yield
            return list_patients(Path(typed_path(path)))

        self._listing = Task(
            work,
            "Looking for patients",
            on_report=_ignore,
            on_result=self._listed,
            on_end=self._listing_ended,
        )

    def open(self, row: PatientRow) -> None:
        """Read a patient and show it in place of the one at hand."""
        tag = self._desk.tag()
        ours = tag is not None and row.image in tag.sources
        shown = ours and self._desk.whole and self._desk.shows(row.files.images.values(), row.more)
        if self._opening is not None and row.image == self._image:
            return
        if shown and (self._opening is None or self._fresh):
            self._stay()
            return
        if not self._may_leave():
            self._panel.mark_current(self._image)
            return
        self._given_up = self._unsaved()
        self._direction = -1 if self._is_before(row) else 1
        if self._opening is not None:
            self._opening.forget()
        self._start(row)

    def hand_over(self) -> Coming | None:
        """Give away the patient who is on the way, if there is one."""
        if self._opening is None or self._coming is None:
            return None
        return Coming(self._coming, self._given_up, self._desk.whole)

    def take_over(self, coming: Coming) -> None:
        """Open the patient whom a dock that was closed had begun to open."""
        self._given_up, self._desk.whole = coming.given_up, coming.whole
        self._start(coming.row)

    def _start(self, row: PatientRow) -> None:
        self._coming, self._image = row, row.image
        self._desk.expecting = True
        self._panel.mark_current(row.image)
        convention, slots = preferences().view_convention, self._desk.slots()
        self._queue.clear()
        self._fresh = True
        self._opening = Task(
            lambda stop: self.prefetch.layers(row, convention, slots),
            f"Opening {row.files.case_id}",
            on_report=lambda arrival: self._enqueue(lambda: self._arrived(arrival)),
            on_result=lambda opened: self._enqueue(lambda: self._opened(opened)),
            on_end=lambda: self._enqueue(self._ended),
        )

    def neighbor(self, by: int) -> PatientRow | None:
        """Return the patient so many lines below the one at hand; None beyond the list's ends."""
        rows, shown = self._panel.rows(), self._shown()
        for place, row in enumerate(rows):
            if row.image == shown:
                return rows[place + by] if 0 <= place + by < len(rows) else None
        return None

    def read_ahead(self) -> None:
        """Read the patient who probably comes next, in the background."""
        row = self.neighbor(self._direction) or self.neighbor(-self._direction)
        if row is not None and self._opening is None:
            self.prefetch.want(row, preferences().view_convention, self._desk.slots())

    def _listed(self, rows: list[PatientRow]) -> None:
        self._panel.show_patients(rows)
        if self._opening is None:
            self._image = self._shown()
        self._panel.mark_current(self._image)
        if len(rows) == 1:
            self.open(rows[0])

    def _enqueue(self, action: Callable[[], None]) -> None:
        """Do things one by one, each in a turn of the event loop of its own."""
        self._queue.append(action)
        if len(self._queue) == 1:
            soon(self._next)

    def _next(self) -> None:
        if self._queue:
            action = self._queue[0]
            try:
                action()
            finally:
                if self._queue and self._queue[0] is action:
                    self._queue.popleft()
                if self._queue:
                    soon(self._next)

    def _arrived(self, arrival: Arrival) -> None:
        """Show one layer; the patient before leaves only now that the next can be read."""
        if self._fresh:
            # The person may have gone on painting since the question was asked. Of a desk that
            # holds parts of two patients nothing can stay; strokes are in their journals.
            painted = self._desk.whole and self._unsaved() - self._given_up
            if painted and not self._may_leave():
                self._stay()
                return
            self._fresh, self._given_up = False, frozenset()
            for listener in self.on_leaving:
                listener()
            self._desk.begin()
        self._desk.place(arrival.data, arrival.layer)

    def _stay(self) -> None:
        """Keep the patient at hand; the one that was to come is not shown."""
        if self._opening is not None:
            self._opening.forget()
        self._queue.clear()
        self._ended()

    def _opened(self, opened: Opened) -> None:
        from napari.utils.notifications import show_info

        self._desk.finish(opened.case)
        for note in opened.notes:
            show_info(note)
        for listener in self.on_opened:
            listener()

    def _listing_ended(self) -> None:
        self._listing = None

    def _ended(self) -> None:
        self._opening = self._coming = None
        self._desk.give_up()
        self._image = self._shown()
        self._panel.mark_current(self._image)
        for listener in self.on_settled:
            listener()

    def _is_before(self, row: PatientRow) -> bool:
        before = self.neighbor(-1)
        return before is not None and before.image == row.image

    def _shown(self) -> Path | None:
        """Return the file that stands for the patient at hand."""
        tag = self._desk.tag()
        return None if tag is None else tag.sources[0]


def _ignore(_: object) -> None:
    """Take a report that says nothing."""
