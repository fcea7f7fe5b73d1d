"""What a mask's file name tells about its codes."""

from pathlib import Path

from napari_brats.case import cautions
from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS, REFERENCE, recognize, split_extension


def naming_of(path: Path) -> tuple[str, tuple[str, ...]] | None:
    """Return the convention that a reference's name tells, with cautions, images or none beside."""
    try:
        patient = recognize(path)
    except CaseError:
        patient = None
    if patient is not None and _is(path, patient.reference):
        return patient.convention_name, cautions(patient)
    parts = split_extension(path.name)
    for row in NAMINGS.values():
        read = row.parse(parts[0], path.parent.name) if parts and row.strict else None
        if read is not None and read[1] == REFERENCE:
            return row.convention, (row.caution,) if row.caution else ()
    return None


def _is(path: Path, other: Path | None) -> bool:
    return other is not None and path.resolve() == other.resolve()
