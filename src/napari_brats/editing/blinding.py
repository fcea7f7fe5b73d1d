"""Second readings: what a reader may not see of those before, until they are done themselves."""

from pathlib import Path

from napari_brats.editing.review import Entry, Review, mask_of
from napari_brats.editing.states import State
from napari_brats.naming import Patient
from napari_brats.plugin.masks import saved_masks

_FINISHED = (State.SECOND_READER, State.DONE)


def is_blind(review: Review, reader: str) -> bool:
    """Return whether a reader reads a case for the second time, blind to those before.

    Parameters
    ----------
    review : Review
        Of the case.
    reader : str
        Who is about to look.

    Returns
    -------
    bool
        True from when somebody else hands the case on until this reader calls it done or hands
        it on as well. Names differ by letters, not by their case or spaces around.
    """
    handed_on = any(
        entry.state == State.SECOND_READER and not _is(entry, reader) for entry in review.entries
    )
    finished = any(entry.state in _FINISHED and _is(entry, reader) for entry in review.entries)
    return handed_on and not finished


def hidden_masks(patient: Patient, review: Review, reader: str) -> frozenset[Path]:
    """Return the saved masks that a reader may not see.

    Parameters
    ----------
    patient : Patient
        The case.
    review : Review
        Its reviews.
    reader : str
        Who is about to look.

    Returns
    -------
    frozenset of Path
        Nothing unless `is_blind`; else every mask beside the patient but those that this
        reader's own marks name: the first reader's may be any of the others.
    """
    if not is_blind(review, reader):
        return frozenset()
    own = {mask_of(patient, entry) for entry in review.entries if _is(entry, reader)}
    every = saved_masks(patient.image, patient.case_id)
    return frozenset(every) - own


def _is(entry: Entry, reader: str) -> bool:
    return entry.reader.strip().casefold() == reader.strip().casefold()
