"""The patients of a cohort as a reviewer works through them: table, queue and reviews together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_brats.editing.review import read_review
from napari_brats.editing.states import State as ReviewState
from napari_brats.errors import BratsError
from napari_brats.metrics.ranking import Ranked
from napari_brats.naming import PatientFiles, recognize
from napari_brats.plugin.masks import results_folder
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.queue import read_queue


@dataclass(frozen=True)
class Item:
    """One patient.

    Parameters
    ----------
    patient : str
        The case id.
    rows : Mapping[str, Row]
        By model.
    place : int or None
        In the queue, from 1 on; None where no queue was made since the patient came.
    ranked : Ranked or None
        Score and reasons of the same.
    review : ReviewState
        How far people are.
    notes : tuple of str
        What could not be read.
    """

    patient: str
    rows: Mapping[str, Row]
    place: int | None = None
    ranked: Ranked | None = None
    review: ReviewState = ReviewState.NOT_STARTED
    notes: tuple[str, ...] = ()
    words: str = field(default="", compare=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All models' warnings and reasons of failure, each once."""
        failed = (f"{row.model}: {row.reason}" for row in self.rows.values() if row.reason)
        found = (line for row in self.rows.values() for line in row.warnings)
        return tuple(dict.fromkeys((*failed, *found, *self.notes)))

    @property
    def state(self) -> State:
        """Failed if any model failed, else waiting if any is missing, else done."""
        states = {row.state for row in self.rows.values()}
        return next(one for one in (State.FAILED, State.WAITING, State.DONE) if one in states)

    def row(self, model: str) -> Row | None:
        """Return the row of a model, if this patient has one."""
        return self.rows.get(model)


def read_items(root: str | Path) -> list[Item]:
    """Return the patients of a cohort's folder, the worst first where there is a queue.

    Parameters
    ----------
    root : str or Path
        Output folder of ``napari-brats cohort``.

    Raises
    ------
    CaseError
        If there is no table of a cohort, or its queue is damaged.
    """
    return items_of(read_table(root), read_queue(root))


def items_of(rows: Sequence[Row], queue: Sequence[Ranked]) -> list[Item]:
    """Put rows, queue and the reviews beside the patients together."""
    patients: dict[str, dict[str, Row]] = {}
    for row in rows:
        patients.setdefault(row.patient, {})[row.model] = row
    places = {ranked.case: (place, ranked) for place, ranked in enumerate(queue, 1)}
    items = [_item(patient, models, *places.get(patient, (None, None)))
             for patient, models in patients.items()]  # fmt: skip
    return sorted(items, key=lambda item: item.place or len(items) + 1)


def files_of(item: Item) -> PatientFiles:
    """Return a patient's files.

    Raises
    ------
    CaseError
        If they are not where they were when the masks were made.
    """
    return recognize(next(iter(item.rows.values())).source)


def review_state(item: Item) -> tuple[ReviewState, tuple[str, ...]]:
    """Return how far people are, and what could not be read."""
    source = Path(next(iter(item.rows.values())).source)
    if not (results_folder(source) / f"{item.patient}_review.json").exists():
        return ReviewState.NOT_STARTED, ()
    try:
        return read_review(files_of(item)).state, ()
    except BratsError as error:
        return ReviewState.NOT_STARTED, (str(error),)


def _item(
    patient: str, models: Mapping[str, Row], place: int | None, ranked: Ranked | None
) -> Item:
    bare = Item(patient, models, place, ranked)
    review, notes = review_state(bare)
    whole = Item(patient, models, place, ranked, review, notes)
    reasons = () if ranked is None else ranked.reasons
    words = "\n".join((patient, *reasons, *whole.warnings)).casefold()
    return Item(patient, models, place, ranked, review, notes, words)
