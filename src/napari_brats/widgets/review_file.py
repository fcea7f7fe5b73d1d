"""The reviews of the patient at hand, read and written beside the event loop."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_brats.editing.decisions import Decision
from napari_brats.editing.review import Review, decide, likely_reader, mark, read_review
from napari_brats.editing.states import State
from napari_brats.naming import Patient
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.preferences import preferences


class ReviewFile(QObject):
    """What readers said about the patient at hand.

    Reading and writing happen one after the other in one thread, which ends what it has
    begun when the program ends.

    Attributes
    ----------
    patient : Patient or None
        The patient at hand.
    changed : Signal()
        `review` is another one.
    read : Signal(Path, Review)
        Of any patient, whom a file stands for, after it was read or written.
    """

    changed = Signal()
    read = Signal(object, object)
    _ended = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.review: Review | None = None
        self.patient: Patient | None = None
        self._due = 0
        self._thread = ThreadPoolExecutor(1, "napari-brats reviews")
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def idle(self) -> bool:
        """Whether nothing is being read or written."""
        return self._due == 0

    def close(self) -> None:
        """Write what is due, and stop."""
        self._thread.shutdown(wait=True)

    @property
    def image(self) -> Path | None:
        """The file that stands for the patient at hand."""
        return None if self.patient is None else self.patient.image

    def open(self, patient: Patient | None) -> None:
        """Turn to another patient; None for nobody."""
        if _key(patient) == _key(self.patient):
            return
        self.patient, self.review = patient, None
        self.changed.emit()
        if patient is not None:
            self._submit(patient, read_review)

    def decide(self, decision: Decision) -> None:
        """Keep a decision, in the reader's name."""
        named = replace(decision, reader=reader_name())
        if self.review is not None:
            self.review = replace(self.review, decisions=(*self.review.decisions, named))
        if self.patient is not None:
            self._submit(self.patient, lambda patient: decide(patient, [named]))

    def mark(
        self,
        patient: Patient,
        state: State,
        reader: str,
        mask: Path | None,
        seconds: float,
        notes: str,
    ) -> None:
        """Say how far a case is, which need not be the one at hand any more."""

        def write(patient: Patient) -> Review:
            return mark(patient, state, reader, mask=mask, seconds=seconds, notes=notes)

        self._submit(patient, write)

    def _submit(self, patient: Patient, work: Callable[[Patient], Review]) -> None:
        self._due += 1
        self._thread.submit(self._work, patient, work)

    def _work(self, patient: Patient, work: Callable[[Patient], Review]) -> None:
        result: Any = None
        error: Exception | None = None
        try:
            result = work(patient)
        except Exception as raised:  # whatever it is, it must be seen, and later work be done
            error = raised
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._ended.emit(patient.image, result, error)

    def _on_ended(self, image: Path, review: Review | None, error: Exception | None) -> None:
        self._due -= 1
        if error is not None:
            notify_error(error)
        if review is not None:
            self.read.emit(image, review)
        if review is not None and image == self.image and self._due == 0:
            self.review = review
            self.changed.emit()


def _key(patient: Patient | None) -> tuple[Path, str] | None:
    return None if patient is None else (patient.image, patient.case_id)


def reader_name() -> str:
    """Return the name that the person gave, else the one under which they are logged in."""
    return preferences().reader or likely_reader()
