"""`Volume`: voxels with their affine, read from a checked file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_brats.errors import CaseError
from napari_brats.volumes.metaimage import read_metaimage
from napari_brats.volumes.nifti import read_header, read_nifti, storage_step

TOLERANCE_MM = 0.05
"""How far apart two grids may put the same voxel; other tools round their headers."""


@dataclass(frozen=True)
class Volume:
    """Voxels and where they lie.

    Parameters
    ----------
    data : NDArray, shape (X, Y, Z) or (X, Y, Z, C)
        Fortran order, so that its transpose (Z, Y, X) is contiguous.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient mm, RAS+.
    path : Path
        The file.
    """

    data: NDArray[Any]
    affine: NDArray[np.float64]
    path: Path


def read_volume(path: str | Path, *, dtype: DTypeLike | None = np.float32, ndim: int = 3) -> Volume:
    """Read a NIfTI or MetaImage file, checked to its last byte.

    Parameters
    ----------
    path : str or Path
        ``.nii``, ``.nii.gz`` or ``.mha``.
    dtype : DTypeLike or None
        A float type, or None for the stored one (float64 where the file scales).
    ndim : int
        Dimensions expected; axes of length 1 at the end do not count.

    Returns
    -------
    Volume

    Raises
    ------
    CaseError
        If the file is missing, damaged, of another kind, too large for the memory, or has
        other dimensions.
    """
    path = Path(path)
    read = read_metaimage if path.name.lower().endswith(".mha") else read_nifti
    try:
        data, affine = read(path, dtype)
    except MemoryError as error:
        raise CaseError(
            f"{str(path)!r} does not fit into the memory; close other programs or use a "
            "machine with more"
        ) from error
    while data.ndim > ndim and data.shape[-1] == 1:
        data = data[..., 0]
    if data.ndim != ndim:
        cure = "split it into one file a modality" if data.ndim > ndim else "choose another file"
        raise CaseError(
            f"{str(path)!r} is {data.ndim}D with shape {data.shape} where {ndim}D was expected; "
            f"{cure}"
        )
    return Volume(data, affine, path)


def read_codes(path: str | Path) -> Volume:
    """Read a mask; whole numbers from 0 to 255 come as uint8, whatever the file's type.

    Many tools store whole numbers that they hold as floats as scaled integers, which do not
    come back whole; what is within half a storage step of a whole number counts as one.

    Raises
    ------
    CaseError
        As `read_volume`.
    """
    volume = read_volume(path, dtype=None)
    data = volume.data
    if data.dtype == np.uint8 or not (data.min() >= 0 and data.max() <= np.iinfo(np.uint8).max):
        return volume
    if data.dtype.kind != "f":
        return Volume(data.astype(np.uint8), volume.affine, volume.path)
    whole = np.rint(data)
    if not volume.path.name.lower().endswith(".mha"):
        tolerance = storage_step(volume.path) / 2
        if tolerance < 0.1 and np.all(np.abs(data - whole) <= tolerance * 1.001):
            return Volume(whole.astype(np.uint8), volume.affine, volume.path)
    same = np.array_equal(whole, data)
    return Volume(whole.astype(np.uint8), volume.affine, volume.path) if same else volume


def says_orientation(path: str | Path) -> bool:
    """Return whether a file says where its voxel axes point in the patient.

    A NIfTI file without sform and qform does not: its axes are taken for left, front, head.

    Raises
    ------
    CaseError
        If the file cannot be read.
    """
    path = Path(path)
    if path.name.lower().endswith(".mha"):
        return True
    header = read_header(path)
    return bool(header["sform_code"] > 0 or header["qform_code"] > 0)


def grid_difference(first: Volume, second: Volume) -> str | None:
    """Say which number of two volumes' grids differs, or return None if they agree.

    Parameters
    ----------
    first, second : Volume
        To be compared: shape, and where the corner voxels lie, within `TOLERANCE_MM`.
    """
    if first.data.shape[:3] != second.data.shape[:3]:
        return (
            f"{str(first.path)!r} has {first.data.shape[:3]} voxels but "
            f"{str(second.path)!r} has {second.data.shape[:3]}"
        )
    reach = np.array([*(size - 1 for size in first.data.shape[:3]), 1.0])
    apart = np.abs(first.affine[:3] - second.affine[:3]) * np.maximum(reach, 1)
    if apart.sum(axis=1).max() <= TOLERANCE_MM:
        return None
    row, column = np.unravel_index(np.argmax(apart), apart.shape)
    return (
        f"{str(first.path)!r} has {first.affine[row, column]:.6g} at affine[{row}, {column}] "
        f"but {str(second.path)!r} has {second.affine[row, column]:.6g}"
    )


def require_same_grid(first: Volume, second: Volume) -> None:
    """Raise a `CaseError` that names the number in which two grids differ."""
    difference = grid_difference(first, second)
    if difference is not None:
        raise CaseError(
            f"{difference}; all volumes of a patient must lie on one grid; resample the second "
            "onto the first"
        )
