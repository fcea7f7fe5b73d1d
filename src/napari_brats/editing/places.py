"""Where journals lie: beside the mask, or in the user's own data folder."""

import contextlib
import glob
import os
import re
from pathlib import Path

from napari_brats.editing.journal import Subject
from napari_brats.plugin.masks import results_folder

_ENDING = ".journal"


def data_folder() -> Path:
    """Return where journals are kept that cannot lie beside their mask.

    ``NAPARI_BRATS_DATA`` names it, else it is the user's data folder.
    """
    from platformdirs import user_data_path

    chosen = os.environ.get("NAPARI_BRATS_DATA")
    return Path(chosen or user_data_path("napari-brats")) / "journals"


def journal_name(case_id: str, token: str) -> str:
    """Return a journal's file name: hidden, and like no image or mask."""
    return f".{safe_name(case_id)}-{token}{_ENDING}"


def journal_folders(subject: Subject) -> tuple[Path, ...]:
    """Return where a mask's journal may be made, the best place first.

    Beside the mask if that lies where its patient's masks are looked for, else in
    `data_folder`: it must be found when the patient is opened again.
    """
    beside = results_folder(Path(subject.image))
    if subject.mask and Path(subject.mask).parent == beside:
        return beside, data_folder()
    return (data_folder(),)


def journal_files(case_id: str, image: Path) -> list[Path]:
    """Return files named like journals of a patient, the oldest first."""
    pattern = glob.escape(f".{safe_name(case_id)}-") + f"*{_ENDING}"
    found = []
    for folder in (results_folder(image), data_folder()):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):  # whoever writes it may delete it any moment
                found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found)]


def concerns(subject: Subject, path: Path, case_id: str, image: Path) -> bool:
    """Return whether a journal found at a path is about a patient.

    Beside the masks the folder says so, also after it was moved; in the data folder the
    image's path must be the same, because patients of two studies may share their names.
    """
    if subject.case_id != case_id:
        return False
    return path.parent != data_folder() or subject.image == str(image)


def safe_name(case_id: str) -> str:
    """Return a case's name as part of a file's name, in letters of any script."""
    return re.sub(r"[^\w.]+", "_", case_id)
