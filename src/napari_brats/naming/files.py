"""`PatientFiles`: which file of a patient is what."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_brats.naming.table import EXTENSIONS


class Patient(Protocol):
    """Whose masks and reviews lie beside an image: a patient's files, or a layer's tag."""

    @property
    def case_id(self) -> str:
        """What masks and reviews beside the patient are named after."""

    @property
    def image(self) -> Path:
        """The patient's first image."""


@dataclass(frozen=True)
class PatientFiles:
    """The files of one patient, found by name and not opened yet.

    Parameters
    ----------
    case_id : str
        The patient's name as the edition writes it.
    folder : Path
        Where the files lie.
    naming : str
        Row of `NAMINGS` that recognized them, or ``"msd-task01"`` or ``"nnunet"``; or
        ``"manifest"`` where a cohort's manifest names every file.
    convention_name : str
        Row of `LABEL_CONVENTIONS` that the reference follows.
    images : Mapping[str, Path]
        File of each modality that is there, in the order t1, t1ce, t2, flair.
    channels : Mapping[str, int | None]
        Index along the fourth axis where one file holds all modalities; None for 3D files.
    reference : Path or None
        The reference mask, if there is one.
    notes : tuple of str
        Harmless oddities, one line each.
    own_id : str
        What the files' names call the patient where a manifest gave another ``case_id``.
    """

    case_id: str
    folder: Path
    naming: str
    convention_name: str
    images: Mapping[str, Path]
    channels: Mapping[str, int | None]
    reference: Path | None
    notes: tuple[str, ...] = ()
    own_id: str = ""

    @property
    def image(self) -> Path:
        """The first image, which stands for the patient."""
        return next(iter(self.images.values()))


def split_extension(name: str) -> tuple[str, str] | None:
    """Return (stem, extension) of a volume's file name, or None if it is no volume.

    Examples
    --------
    >>> split_extension("BraTS2021_00005_t1.nii.gz")
    ('BraTS2021_00005_t1', '.nii.gz')
    """
    for extension in EXTENSIONS:
        if name.lower().endswith(extension) and len(name) > len(extension):
            return name[: -len(extension)], extension
    return None
