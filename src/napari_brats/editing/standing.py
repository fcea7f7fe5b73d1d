"""Whether a reader's word still holds: it is about the mask as it was."""

from napari_brats.editing.review import Entry, mask_of
from napari_brats.editing.states import State
from napari_brats.naming import Patient
from napari_brats.volumes import sha256_of


def outdated(patient: Patient, entry: Entry) -> str:
    """Say why a mask is not what a reader stands for any more; empty where there is no reason.

    Parameters
    ----------
    patient : Patient
        The case.
    entry : Entry
        What the reader said of it.
    """
    mask = mask_of(patient, entry)
    if mask is None or entry.state not in (State.SECOND_READER, State.DONE):
        return ""
    if not mask.is_file():
        return f"the reviewed mask {entry.mask!r} is not there any more"
    if sha256_of(mask) != entry.mask_sha256:
        return f"the mask {mask.name!r} was changed after its review: mark it again"
    return ""
