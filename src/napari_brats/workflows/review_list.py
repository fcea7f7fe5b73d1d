"""The patients of a cohort as a reviewer works through them: table, queue and reviews together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_brats.editing.review import read_review
from napari_brats.editing.states import State as ReviewState
from napari_brats.errors import BratsError
from napari_brats.metrics.ranking import Ranked
from napari_brats.naming import PatientFiles, find_patients, recognize
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.roster import at_home, known_patients
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.queue import read_queue


@dataclass(frozen=True)
class Item:
    """One patient; `read_review`, `mark` and what else takes a `Patient` take it as it is.

    Parameters
    ----------
    patient : str
        The case id in the cohort.
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
    files : PatientFiles or None
        Its files as the run knew them, under the id that its reviews have; None where that was
        not written down.
    """

    patient: str
    rows: Mapping[str, Row]
    place: int | None = None
    ranked: Ranked | None = None
    review: ReviewState = ReviewState.NOT_STARTED
    notes: tuple[str, ...] = ()
    files: PatientFiles | None = None
    words: str = field(default="", compare=False)

    @property
    def case_id(self) -> str:
        """What masks and reviews beside the patient are named after."""
        return self.patient if self.files is None else self.files.case_id

    @property
    def image(self) -> Path:
        """The patient's first image."""
        source = next(iter(self.rows.values())).source
        return Path(source) if self.files is None else self.files.image

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
        If there is no table of a cohort, or its queue or the list of its patients is damaged.
    """
    return items_of(read_table(root), read_queue(root), known_patients(Path(root)))


def items_of(
    rows: Sequence[Row], queue: Sequence[Ranked], known: Mapping[str, PatientFiles]
) -> list[Item]:
    """Put rows, queue, patients' files and the reviews beside them together."""
    patients: dict[str, dict[str, Row]] = {}
    for row in rows:
        patients.setdefault(row.patient, {})[row.model] = row
    places = {ranked.case: (place, ranked) for place, ranked in enumerate(queue, 1)}
    items = []
    for patient, models in patients.items():
        place, ranked = places.get(patient, (None, None))
        files = at_home(known[patient]) if patient in known else None
        items.append(_whole(Item(patient, models, place, ranked, files=files)))
    return sorted(items, key=lambda item: item.place or len(items) + 1)


def files_of(item: Item) -> PatientFiles:
    """Return a patient's files.

    Raises
    ------
    CaseError
        If they are not where they were when the masks were made.
    """
    return item.files or recognize(item.image)


def patients_at(path: str | Path) -> list[PatientFiles]:
    """Return the patients at a path, each under the id that its reviews have.

    Parameters
    ----------
    path : str or Path
        The output folder of a cohort, whose patients may lie anywhere, or a patient's folder in
        it; or what `find_patients` takes.
    """
    path = Path(path).absolute()
    for layout in (Layout(path), Layout(path.parent)):
        known = known_patients(layout.root).values() if layout.csv.is_file() else ()
        here = [one for one in known if path in (layout.root, layout.folder(one.case_id))]
        if here:
            return [at_home(one) for one in here]
    return find_patients(path)


def review_state(item: Item) -> tuple[ReviewState, tuple[str, ...]]:
    """Return how far people are, and what could not be read."""
    try:
        return read_review(item).state, ()
    except BratsError as error:
        return ReviewState.NOT_STARTED, (str(error),)


def _whole(item: Item) -> Item:
    """Return a patient with its review, and the words by which it is looked for."""
    review, notes = review_state(item)
    item = replace(item, review=review, notes=notes)
    reasons = () if item.ranked is None else item.ranked.reasons
    words = "\n".join((item.patient, *reasons, *item.warnings)).casefold()
    return replace(item, words=words)
