"""Where results go: names that are never taken for a patient's own files, checks made early.

A long computation must not end in "permission denied", so the target is looked at first.
"""

import os
from pathlib import Path

from napari_brats.case import Case, Segmentation, is_source, save_segmentation
from napari_brats.errors import OutputError, TakenError
from napari_brats.naming import recognize, split_extension
from napari_brats.plugin.masks import mask_path, results_folder


def folder_beside(path: str | Path) -> Path:
    """Return the folder where a patient's results go by default.

    Parameters
    ----------
    path : str or Path
        What `recognize` takes.

    Returns
    -------
    Path
        The patient's own folder; beside ``imagesTr`` where every volume is a patient.
    """
    return results_folder(next(iter(recognize(path).images.values())))


def resolve_output(output: Path, case: Case, model: str) -> Path:
    """Return the file to write a mask to.

    Parameters
    ----------
    output : Path
        A file, or an existing folder. A folder gets the default name, numbered where such
        a file is there already: it may have been corrected by hand.
    case : Case
        The patient.
    model : str
        Name of the weights.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If nothing can be written there.
    """
    if not os.path.isdir(output):
        check_target(output, case, (".nii.gz", ".nii", ".mha"), "--output")
        return output
    image = next(iter(case.image_paths.values()))
    target = mask_path(image, case.case_id, model, folder=output)
    check_target(target, case, (".nii.gz", ".mha"), "--output")
    return target


def save_new(segmentation: Segmentation, folder: Path, case: Case, model: str) -> Path:
    """Save a mask into a folder under its default name, and never over another.

    Names are looked at before a long computation (`resolve_output`); meanwhile somebody may
    have saved a mask under the one that was free.

    Returns
    -------
    Path
        The file written.
    """
    while True:
        try:
            target = resolve_output(folder, case, model)
            return save_segmentation(segmentation, target, replace=False)
        except TakenError:
            continue


def check_target(path: Path, case: Case, extensions: tuple[str, ...], option: str) -> None:
    """Refuse a file that could not be written, or that must not be.

    Parameters
    ----------
    path : Path
        File to write; its folders may lack.
    case : Case
        The patient, whose files stay untouched.
    extensions : tuple of str
        Endings that can be written.
    option : str
        Option to name in the message, e.g. ``"--output"``.

    Raises
    ------
    OutputError
        For another ending, a source file (see `is_source`), or a file or folder without
        permission to write.
    """
    parts = split_extension(path.name)
    if parts is None or parts[1] not in extensions:
        raise OutputError(
            f"cannot write {str(path)!r}: it does not end in {' or '.join(extensions)}; "
            f"give a file with such an ending, or an existing folder, with {option}"
        )
    reference = [case.reference_path] if case.reference_path else []
    if is_source(path, [*case.image_paths.values(), *reference]):
        raise OutputError(
            f"{str(path)!r} is a source file, which is never overwritten; "
            f"give another file with {option}"
        )
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise OutputError(f"{str(path)!r} is write-protected; give another file with {option}")
    check_folder(Path(os.path.realpath(path)).parent, option)


def check_file(path: Path, extensions: tuple[str, ...], option: str) -> None:
    """Refuse a file that is no volume and that could not be written.

    Parameters
    ----------
    path : Path
        File to write; its folders may lack.
    extensions : tuple of str
        Endings that can be written.
    option : str
        Option to name in the message, e.g. ``"--csv"``.

    Raises
    ------
    OutputError
        For another ending, a folder, or a place without permission to write.
    """
    if path.suffix.lower() not in extensions or os.path.isdir(path):
        raise OutputError(
            f"{str(path)!r} is no name of a {' or '.join(extensions)} file; give one with {option}"
        )
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise OutputError(f"{str(path)!r} is write-protected; give another file with {option}")
    check_folder(Path(os.path.realpath(path)).parent, option)


def check_folder(folder: Path, option: str) -> None:
    """Refuse a folder in which no file can be made, existing or yet to be made.

    Raises
    ------
    OutputError
        If it is read-only, or a part of its path is a file.
    """
    existing = Path(os.path.realpath(folder))
    while not os.path.exists(existing):
        if existing.parent == existing:
            raise OutputError(
                f"cannot write into {str(folder)!r}: there is no drive or share "
                f"{str(existing)!r}; give another place with {option}"
            )
        existing = existing.parent
    if not os.path.isdir(existing):
        raise OutputError(
            f"cannot write into {str(folder)!r}: {str(existing)!r} is a file; "
            f"give another place with {option}"
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(
            f"cannot write into {str(existing)!r}: the folder is read-only; "
            f"give another place with {option}"
        )
