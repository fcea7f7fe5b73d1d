"""Find the journals that somebody was kept from saving, and settle what becomes of them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from napari_brats.editing.journal import Replay, read_journal
from napari_brats.editing.places import concerns, journal_files
from napari_brats.errors import JournalError


@dataclass(frozen=True)
class Unsaved:
    """Edits that are in a journal only."""

    path: Path
    replay: Replay


def require_untouched(found: Unsaved) -> None:
    """Make sure that a journal is still as it was found, and nobody's.

    Raises
    ------
    JournalError
        If another window took it up or settled it meanwhile.
    """
    with contextlib.suppress(JournalError, OSError):
        touched = found.path.stat().st_mtime
        now = read_journal(found.path)
        if now.end == found.replay.end and not now.owner.lives(touched):
            return
    raise JournalError(
        f"the edits in {str(found.path)!r} were taken up in another window meanwhile; go on there, "
        "or close it there and open the patient here again"
    )


def find_unsaved(case_id: str, image: Path) -> list[Unsaved]:
    """Return the journals of a patient that nobody is writing, the oldest first.

    One whose edits cancel out is deleted: there is nothing in it to recover.

    Parameters
    ----------
    case_id : str
        The patient.
    image : Path
        Its first image.
    """
    found = []
    for path in journal_files(case_id, image):
        # Whoever writes it may save, and so delete it, at any moment.
        with contextlib.suppress(JournalError, OSError):
            touched = path.stat().st_mtime
            replay = read_journal(path)
            if not concerns(replay.subject, path, case_id, image) or replay.owner.lives(touched):
                continue
            if replay.changed:
                found.append(Unsaved(path, replay))
            else:
                path.unlink()
    return found
