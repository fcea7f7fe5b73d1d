"""Which mask belongs to which reference, when two folders are compared."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, REFERENCE, find_patients, split_extension


@dataclass(frozen=True)
class Pairs:
    """Two folders, case by case.

    Parameters
    ----------
    matched : tuple of (str, Path, Path)
        Case id, mask to score, reference.
    unmatched : tuple of str
        What has no partner, or too many, one line each.
    """

    matched: tuple[tuple[str, Path, Path], ...]
    unmatched: tuple[str, ...]


def pair_up(predictions: Path, references: Path) -> Pairs:
    """Match the masks in two folders by case id.

    A reference's id is that of its patient, or its file name without the edition's ending.
    A mask belongs to the longest id that its name begins with, up to a character that is
    neither letter nor digit (``BraTS2021_00005_mymodel_mask.nii.gz``), or to the one that
    its folder is named after.

    Parameters
    ----------
    predictions, references : Path
        Folders; masks may lie one folder down.

    Returns
    -------
    Pairs

    Raises
    ------
    CaseError
        If a folder has no reference, or nothing matches; the message says what was found.
    """
    truth = find_references(references)
    if not truth:
        raise CaseError(
            f"{str(references)!r} holds no reference mask; give a folder of patients or of "
            "reference files"
        )
    images = {image for one in find_patients(predictions) for image in one.images.values()}
    found: dict[str, list[Path]] = defaultdict(list)
    stray = []
    for path in _volumes(predictions):
        if path in images or any(_same(path, reference) for reference in truth.values()):
            continue
        owner = _owner(path, truth)
        if owner is None:
            stray.append(f"no reference for the mask {str(path.relative_to(predictions))!r}")
        else:
            found[owner].append(path)
    several = [
        f"{case}: {len(paths)} masks ({', '.join(repr(path.name) for path in paths)}), none scored"
        for case, paths in found.items()
        if len(paths) > 1
    ]
    alone = [f"{case}: no mask" for case in truth if case not in found]
    matched = tuple(
        (case, found[case][0], truth[case]) for case in truth if len(found.get(case, ())) == 1
    )
    unmatched = (*alone, *several, *stray)
    if not matched:
        raise CaseError(
            f"no mask in {str(predictions)!r} matches a case of {str(references)!r} "
            f"({'; '.join(unmatched[:3])}{'; ...' * (len(unmatched) > 3)}); name each mask after "
            "its case"
        )
    return Pairs(matched, unmatched)


def find_references(root: Path) -> dict[str, Path]:
    """Return the reference of each case in a folder, by case id, in the order of the names.

    Parameters
    ----------
    root : Path
        Patients below it, reference files in it, or both.
    """
    patients = find_patients(root)
    known = {patient.case_id: patient.reference for patient in patients if patient.reference}
    taken = {path for one in patients for path in (*one.images.values(), one.reference)}
    if not known:
        for path in _volumes(root):
            if path not in taken:
                known[_case_id(path)] = path
    return dict(sorted(known.items()))


def _case_id(path: Path) -> str:
    """Return the case that a lone reference's name tells, by an edition or as it is."""
    stem = (split_extension(path.name) or (path.name, ""))[0]
    for row in NAMINGS.values():
        read = row.parse(stem, path.parent.name)
        if read is not None and read[1] == REFERENCE:
            return read[0]
    return stem


def _volumes(root: Path) -> list[Path]:
    """Return the volumes in a folder and one folder down, in the order of their names."""
    root = Path(os.path.abspath(root))
    found = [*root.glob("*"), *root.glob("*/*")]
    return sorted(
        path
        for path in found
        if split_extension(path.name) and path.is_file() and not path.name.startswith(".")
    )


def _owner(path: Path, cases: dict[str, Path]) -> str | None:
    for name in (path.name, path.parent.name):
        fits = [
            case
            for case in cases
            if name.startswith(case) and not name[len(case) : len(case) + 1].isalnum()
        ]
        if fits:
            return max(fits, key=len)
    return None


def _same(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()
