"""What happens in the Review panel: marks, time, and the way from case to case."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.editing.review import Entry, Review
from napari_brats.editing.states import State
from napari_brats.editing.work_clock import WorkClock
from napari_brats.errors import ReviewError
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.mask_book import mask_tag
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.pace import duration
from napari_brats.widgets.patient_control import PatientControl
from napari_brats.widgets.preferences import keep_reader, preferences
from napari_brats.widgets.review_file import ReviewFile
from napari_brats.widgets.review_panel import ReviewPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

_FINAL = (State.SECOND_READER, State.DONE)


class ReviewControl:
    """Keeps the panel in step with the patient at hand.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        What a reader does in it is work.
    desk : Desk
        Holds the patient at hand.
    panel : ReviewPanel
        The view.
    reviews : ReviewFile
        Keeps the marks.
    masks : MaskControl
        Saves the mask that is stood for.
    patients : PatientControl
        Opens other patients.

    Attributes
    ----------
    on_marked : list of callable
        Get the file that stands for a case and its state after it was read or marked.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        desk: Desk,
        panel: ReviewPanel,
        reviews: ReviewFile,
        masks: MaskControl,
        patients: PatientControl,
    ) -> None:
        self._viewer, self._desk, self._panel = viewer, desk, panel
        self._reviews, self._masks, self._patients = reviews, masks, patients
        self._clock = WorkClock()
        self._edited = False
        self._named = bool(preferences().reader)
        self._mask: Any = None
        self._shown: Entry | None = None
        self._noted: str | None = None  # the notes as they are written down, or on their way
        self.on_marked: list[Callable[[Path, State], None]] = []
        viewer.cursor.events.position.connect(self._on_work)
        viewer.dims.events.current_step.connect(self._on_work)
        panel.mark_asked.connect(self.mark)
        panel.reader_named.connect(self._name)
        panel.step_asked.connect(self.step)
        panel.notes.textChanged.connect(self._clock.touch)
        reviews.changed.connect(self._show)
        reviews.read.connect(self._tell)
        patients.on_leaving.append(self.leave)
        patients.on_settled.append(self._settled)
        self._settled()

    def close(self) -> None:
        """Let go of the viewer, and write the time down that was spent."""
        self._viewer.cursor.events.position.disconnect(self._on_work)
        self._viewer.dims.events.current_step.disconnect(self._on_work)
        self.leave()
        self._let_go()

    @property
    def seconds(self) -> float:
        """Work on this case since it was opened or marked."""
        return self._clock.seconds

    def choose(self, mask: Any) -> None:
        """Follow another mask, or none."""
        if mask is not None and mask_tag(mask).image != self._reviews.image:
            self.leave()  # two patients lie in one window: each has their own time
        self._let_go()
        self._mask = mask
        if mask is not None:
            self._masks.book.edits(mask).on_touch.append(self._on_edit)
            self._reviews.open(mask_tag(mask))

    def mark(self) -> None:
        """Mark the case as the panel says; unsaved edits of the mask are saved first."""
        reader, state = self._panel.reader.text().strip(), self._panel.state()
        if not reader:
            notify_error(ReviewError("nobody is named as the reader; type your name under Review"))
            self._panel.reader.setFocus()
            return
        self._name(reader)
        write = self._writer(state)
        if self._mask is not None and state in _FINAL and not self._is_saved():
            self._masks.save(then=write)
        else:
            write(None if self._mask is None else mask_tag(self._mask).path)

    def step(self, by: int) -> None:
        """Open the next case of the list, or the one before."""
        row = self._patients.neighbor(by)
        if row is not None:
            self._patients.open(row)

    def leave(self) -> None:
        """Write down work that nobody marked, of readers who gave their name: in progress."""
        review, notes = self._reviews.review, self._panel.notes.toPlainText().strip()
        begun = review is not None and review.state in (State.NOT_STARTED, State.IN_PROGRESS)
        worked = self._edited or (self._noted is not None and notes != self._noted)
        if worked and begun and self._named and self._panel.reader.text().strip():
            mask = None if self._mask is None else mask_tag(self._mask).path
            self._writer(State.IN_PROGRESS)(mask)
        self._clock.reset()
        self._edited = False

    def _writer(self, state: State) -> "Callable[[Path | None], None]":
        """Return what writes down, of a mask, what the panel says now of the case at hand."""
        patient, image = self._reviews.patient, self._reviews.image
        reader = self._panel.reader.text().strip()
        seconds, notes = round(self._clock.seconds, 1), self._panel.notes.toPlainText().strip()

        def write(mask: Path | None) -> None:
            if patient is not None:
                self._reviews.mark(patient, state, reader, mask, seconds, notes)
            if image == self._reviews.image:
                self._clock.reset()
                self._edited, self._noted = False, notes

        return write

    def _name(self, reader: str) -> None:
        self._named = bool(reader)
        keep_reader(reader)

    def _is_saved(self) -> bool:
        edits = self._masks.book.edits(self._mask)
        edits.settle()
        return not edits.dirty and mask_tag(self._mask).path is not None

    def _let_go(self) -> None:
        if self._mask in self._masks.book.masks():
            listeners = self._masks.book.edits(self._mask).on_touch
            if self._on_edit in listeners:
                listeners.remove(self._on_edit)
        self._mask = None

    def _on_work(self, event: Any = None) -> None:
        self._clock.touch()

    def _on_edit(self) -> None:
        self._edited = True
        self._clock.touch()

    def _settled(self) -> None:
        """Turn to the patient who has come."""
        tag = self._desk.tag()
        self._reviews.open(tag)
        self._panel.show_steps(
            before=self._patients.neighbor(-1) is not None,
            after=self._patients.neighbor(1) is not None,
            case=tag is not None,
        )
        self._patients.read_ahead()

    def _show(self) -> None:
        review = self._reviews.review
        if review is None:
            self._shown = self._noted = None
            self._panel.show_state(State.NOT_STARTED)
            self._panel.notes.clear()
            self._panel.say("")
            return
        if review.last is not self._shown:
            # A decision changes no entry: what the reader is typing stays.
            if self._shown is None or review.last != self._shown:
                self._panel.show_state(review.state)
                self._panel.notes.setPlainText(review.last.notes)
            self._shown, self._noted = review.last, review.last.notes
        self._panel.say(standing(review))

    def _tell(self, image: Path, review: Review) -> None:
        for listener in self.on_marked:
            listener(image, review.state)


def standing(review: Review) -> str:
    """Return in words how a case stands."""
    if not review.entries:
        return "Nobody has begun."
    last = review.last
    words = f"{last.state.capitalize()}, says {last.reader} on {last.at[:10]}"
    if last.mask:
        words += f" of {Path(last.mask).name}"
    return f"{words}; {duration(review.seconds)} in all." if review.seconds else f"{words}."
