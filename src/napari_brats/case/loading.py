"""Read a patient: all files at once, each checked before anything is computed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case.model import Case
from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, PatientFiles, recognize
from napari_brats.regions import LabelConvention, decode_labels, label_convention
from napari_brats.volumes import (
    Volume,
    read_codes,
    read_volume,
    recorded_convention,
    require_same_grid,
    says_orientation,
)


def load_case(path: str | Path | PatientFiles, *, labels: str | None = None) -> Case:
    """Read a patient and check it before anything is computed.

    Parameters
    ----------
    path : str, Path or PatientFiles
        The patient's folder or one of its files; or files that were found already.
    labels : str, optional
        Label convention of the reference, unless `write_mask` recorded its own in the file; by
        default the one of the file naming.

    Returns
    -------
    Case
        With the modalities that are there, one at least; `Case.missing` names the others.

    Raises
    ------
    CaseError
        If this is no patient, or a file is damaged, empty, constant, not finite or on
        another grid.
    LabelError
        If the reference holds codes that the convention does not know.
    """
    files = path if isinstance(path, PatientFiles) else recognize(path)
    convention = label_convention(labels or files.convention_name)
    with ThreadPoolExecutor() as pool:
        reading = {
            file: pool.submit(_read_images, file, files) for file in set(files.images.values())
        }
        reference = files.reference and pool.submit(read_codes, files.reference)
        volumes = {name: reading[file].result()[name] for name, file in files.images.items()}
        mask = reference.result() if reference else None
    first, *others = volumes.values()
    for other in others:
        require_same_grid(first, other)
    if mask is not None:
        require_same_grid(first, mask)
    return Case(
        case_id=files.case_id,
        naming=files.naming,
        convention=convention,
        images={name: volume.data for name, volume in volumes.items()},
        affine=first.affine,
        reference=None if mask is None else _decoded(mask, convention),
        image_paths=files.images,
        reference_path=files.reference,
        notes=(*files.notes, *_sides(first), *(() if labels else cautions(files))),
    )


def load_mask(
    path: str | Path, convention: LabelConvention
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a mask and translate it to tissue codes.

    Parameters
    ----------
    path : str or Path
        The mask's file.
    convention : LabelConvention
        What its codes mean, unless `write_mask` recorded it in the file.

    Returns
    -------
    tuple
        (X, Y, Z) `Tissue` codes, and the affine (4, 4).

    Raises
    ------
    CaseError
        If the file cannot be read.
    LabelError
        If it holds codes that the convention does not know.
    """
    mask = read_codes(path)
    return _decoded(mask, convention), mask.affine


def _decoded(mask: Volume, convention: LabelConvention) -> NDArray[np.uint8]:
    """Return a mask's tissues by the convention that its file records, else by the given one."""
    recorded, source = recorded_convention(mask.path), repr(str(mask.path))
    if recorded is None:
        return decode_labels(mask.data, convention, source=source)
    return decode_labels(
        mask.data,
        label_convention(recorded),
        source=f"{source} (labels {recorded!r} by its own header)",
        cure="another program wrote other codes under that header: clear its description (descrip "
        "in NIfTI, Comment in MetaImage), and --labels counts",
    )


def require_modalities(
    patient: Case | PatientFiles,
    modalities: Sequence[str],
    who: str,
    may_lack: Sequence[str] = (),
) -> tuple[str, ...]:
    """Check that a patient has the modalities that are needed.

    Parameters
    ----------
    patient : Case or PatientFiles
        Read already, or only found by name.
    modalities : Sequence[str]
        Those that are needed.
    who : str
        Who needs them, e.g. ``"model 'dresunet3d'"``.
    may_lack : Sequence[str]
        Those of them of which one, but no second one, may be missing.

    Returns
    -------
    tuple of str
        The one that is missing, or nothing.

    Raises
    ------
    CaseError
        Naming the modalities that the patient lacks.
    """
    missing = tuple(name for name in modalities if name not in patient.images)
    if missing and (len(missing) > 1 or missing[0] not in may_lack):
        spared = f" (all but one of {', '.join(may_lack)})" if may_lack else ""
        raise CaseError(
            f"{patient.case_id!r} has no {' and no '.join(missing)} (it has "
            f"{', '.join(patient.images)}), which {who} needs{spared}; add the file or choose "
            "another model"
        )
    return missing


def cautions(files: PatientFiles) -> tuple[str, ...]:
    """Return what to know where the names alone decide what the reference's codes mean."""
    row = NAMINGS.get(files.naming)
    return (row.caution,) if row and row.caution and files.reference else ()


def _sides(first: Volume) -> tuple[str, ...]:
    """Say so where left and right are a guess."""
    if says_orientation(first.path):
        return ()
    return (
        f"{first.path.name!r} does not say where its axes point (sform_code and qform_code are "
        "0); they are taken for left, front, head: left and right may be exchanged",
    )


def _read_images(file: Path, files: PatientFiles) -> dict[str, Volume]:
    """Read one file and return its modalities, checked (several from a 4D file)."""
    names = [name for name, path in files.images.items() if path == file]
    if files.channels[names[0]] is None:
        volume = read_volume(file)
        _require_contrast(volume.data, names[0], file)
        return {names[0]: volume}
    volume = read_volume(file, ndim=4)
    modalities = {}
    for name in names:
        channel = files.channels[name] or 0
        if channel >= volume.data.shape[3]:
            raise CaseError(
                f"{str(file)!r} has {volume.data.shape[3]} channels but dataset.json gives "
                f"{name} as channel {channel}; copy the dataset again"
            )
        data = volume.data[..., channel]
        _require_contrast(data, name, file)
        modalities[name] = Volume(data, volume.affine, file)
    return modalities


def _require_contrast(data: NDArray[np.float32], name: str, file: Path) -> None:
    low, high = float(data.min()), float(data.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        count = int(np.count_nonzero(~np.isfinite(data)))
        raise CaseError(
            f"{str(file)!r} ({name}) has {count} voxel{'s' * (count > 1)} that "
            f"{'are' if count > 1 else 'is'} NaN or infinite; export it again"
        )
    if low == high:
        raise CaseError(f"{str(file)!r} ({name}) is empty: every voxel is {low:g}; export it again")
