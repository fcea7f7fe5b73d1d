"""`Case` (what was read of a patient) and `Segmentation` (what will be saved)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.naming import MODALITIES
from napari_brats.regions import LabelConvention
from napari_brats.volumes import spacing_of, voxel_ml


@dataclass(frozen=True)
class Case:
    """One patient, checked: one grid, one affine, tissue codes.

    Parameters
    ----------
    case_id : str
        The patient's name as the edition writes it, e.g. ``"BraTS2021_00005"``.
    naming : str
        Row of `NAMINGS` that recognized the files.
    convention : LabelConvention
        What the codes of the reference mean on disk, and of masks to be saved.
    images : Mapping[str, NDArray[np.float32]]
        (X, Y, Z) per modality, keys out of `MODALITIES`, intensities as in the file.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient mm, RAS+.
    reference : NDArray[np.uint8] or None
        (X, Y, Z) `Tissue` codes, or None where there is no reference mask.
    image_paths : Mapping[str, Path]
        File of each modality.
    reference_path : Path or None
        File of the reference.
    notes : tuple of str
        Harmless oddities found while reading, one line each.
    """

    case_id: str
    naming: str
    convention: LabelConvention
    images: Mapping[str, NDArray[np.float32]]
    affine: NDArray[np.float64]
    reference: NDArray[np.uint8] | None
    image_paths: Mapping[str, Path]
    reference_path: Path | None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along X, Y, Z."""
        x, y, z = next(iter(self.images.values())).shape
        return x, y, z

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities that the patient lacks."""
        return tuple(name for name in MODALITIES if name not in self.images)

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along X, Y, Z in mm, shape (3,)."""
        return spacing_of(self.affine)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in milliliters."""
        return voxel_ml(self.affine)


@dataclass(frozen=True)
class Segmentation:
    """A mask in tissue codes, with what is needed to save it on the patient's own grid.

    Parameters
    ----------
    case_id : str
        Whose mask it is.
    tissues : NDArray[np.uint8]
        (X, Y, Z) `Tissue` codes on the source's grid.
    affine : NDArray[np.float64], shape (4, 4)
        The source's affine.
    convention : LabelConvention
        Codes to write.
    source : Path
        Image whose grid, affine and header the saved mask takes over.
    protected : tuple of Path
        Files of the patient that saving must never touch.
    """

    case_id: str
    tissues: NDArray[np.uint8]
    affine: NDArray[np.float64]
    convention: LabelConvention
    source: Path
    protected: tuple[Path, ...] = ()
