"""Which mask belongs to which reference, when two folders are compared."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, REFERENCE, find_patients, split_extension
from napari_brats.plugin.masks import is_saved_mask, mask_title


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
    taken = {reference.resolve() for reference in truth.values()}
    found: dict[str, list[Path]] = defaultdict(list)
    stray = []
    for path in _volumes(predictions):
        if path in images or path.resolve() in taken:
            continue
        owner = _owner(path, truth)
        if owner is None:
            place = path.relative_to(os.path.abspath(predictions))
            stray.append(f"no reference for the mask {str(place)!r}")
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


@dataclass(frozen=True)
class Readings:
    """Several masks of each case.

    Parameters
    ----------
    cases : Mapping[str, Mapping[str, Path]]
        Case id to reader to mask; two masks a case at least, readers in the order given.
    unmatched : tuple of str
        What has no partner, or cannot be told apart, one line each.
    """

    cases: Mapping[str, Mapping[str, Path]]
    unmatched: tuple[str, ...]


def group_masks(folders: Sequence[Path]) -> Readings:
    """Match the masks of several readers or models by case id.

    The first folder tells which cases there are, by the rules of `pair_up` for references;
    the masks of the other folders belong to them by the rules for masks. A mask's reader is
    what made it where its name says so (``<case>_<maker>_mask.nii.gz``), so that one folder
    may hold masks of several, and else its folder.

    Parameters
    ----------
    folders : sequence of Path
        Masks may lie one folder down.

    Returns
    -------
    Readings

    Raises
    ------
    CaseError
        If no case has two masks; the message says what was found.
    """
    folders = [Path(os.path.abspath(folder)) for folder in folders]
    roster = find_references(folders[0])
    found: dict[str, dict[str, Path]] = {case: {} for case in roster}
    unmatched = []
    for place, folder in enumerate(folders):
        for path in _masks_in(folder):
            case = _owner(path, roster)
            if case is None:
                unmatched.append(f"{str(path)!r}: no case of {str(folders[0])!r}")
                continue
            reader = _reader(path, case, folder)
            if reader in found[case] and place and reader not in {f.name for f in folders[:place]}:
                reader = f"{folder.name}/{reader}"
            if reader in found[case]:
                unmatched.append(f"{case}: {str(path)!r} is a second mask of {reader!r}, left out")
            else:
                found[case][reader] = path
    lone = [f"{case}: {len(masks)} mask" for case, masks in found.items() if len(masks) < 2]
    cases = {case: masks for case, masks in found.items() if len(masks) > 1}
    if not cases:
        told = (*lone, *unmatched)
        raise CaseError(
            f"no case has two masks in {', '.join(repr(str(folder)) for folder in folders)} "
            f"({'; '.join(told[:3]) or 'no masks at all'}); name each mask after its case"
        )
    return Readings(cases, (*lone, *unmatched))


def _masks_in(folder: Path) -> list[Path]:
    """Return the masks of a folder: references of patients, and masks beside them or alone."""
    patients = find_patients(folder)
    images = {image for one in patients for image in one.images.values()}
    references = [one.reference for one in patients if one.reference]
    volumes = [path for path in _volumes(folder) if path not in images and path not in references]
    saved = [path for path in volumes if is_saved_mask(path)]
    return [*references, *(saved or ([] if patients else volumes))]


def _reader(path: Path, case: str, folder: Path) -> str:
    return mask_title(path, case) if is_saved_mask(path) else folder.name


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
    if is_saved_mask(path):
        return _case_of_mask(path)
    stem = (split_extension(path.name) or (path.name, ""))[0]
    for row in NAMINGS.values():
        read = row.parse(stem, path.parent.name)
        if read is not None and read[1] == REFERENCE:
            return read[0]
    return stem


def _case_of_mask(path: Path) -> str:
    """Return the case of ``<case>_<maker>_mask``: the folder's name if it fits, else up to _."""
    told = mask_title(path, "")
    return path.parent.name if _begins(told, path.parent.name) else told.rpartition("_")[0] or told


def _volumes(root: Path) -> list[Path]:
    """Return the volumes in a folder and one folder down, in the order of their names.

    Hidden files and folders hold other programs' things.
    """
    root = Path(os.path.abspath(root))
    found = [*root.glob("[!.]*"), *root.glob("[!.]*/[!.]*")]
    return sorted(path for path in found if split_extension(path.name) and path.is_file())


def _owner(path: Path, cases: dict[str, Path]) -> str | None:
    for name in (path.name, path.parent.name):
        fits = [case for case in cases if _begins(name, case)]
        if fits:
            return max(fits, key=len)
    return None


def _begins(name: str, case: str) -> bool:
    return name.startswith(case) and not name[len(case) : len(case) + 1].isalnum()
