"""Write masks, probabilities and images: atomically, and read back before they count."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import BratsError, OutputError
from napari_brats.volumes.atomic import atomic_write, write_bytes_atomic
from napari_brats.volumes.metaimage import encode_metaimage, read_comment
from napari_brats.volumes.nifti import encode_nifti, read_header
from napari_brats.volumes.volume import read_volume

_RECORD = "napari-brats mask, labels "
_PROBABILITY_STEPS = 65535
_LEVEL = 6
_FAST_LEVEL = 1
_IMAGE_TYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")


def write_mask(
    path: str | Path,
    labels: NDArray[np.uint8],
    affine: NDArray[np.float64],
    like: Path | None = None,
    *,
    convention: str | None = None,
    replace: bool = True,
) -> Path:
    """Write a mask on a source's grid, with the source's affine and header.

    Parameters
    ----------
    path : str or Path
        ``.nii.gz``, ``.nii`` or ``.mha``.
    labels : NDArray[np.uint8], shape (X, Y, Z)
        Codes as they shall stand on disk.
    affine : NDArray[np.float64], shape (4, 4)
        The source's affine.
    like : Path, optional
        The source. Its NIfTI header is taken over (sform and qform with their codes, units);
        where it is a MetaImage or has gone, a plain header with the affine is written.
    convention : str, optional
        What the codes mean, for the header's description: see `recorded_convention`.
    replace : bool
        False: a file that is there already stays.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there before is then untouched.
    TakenError
        If there is one and ``replace`` is False.
    """
    path = Path(path)
    kind = _kind(path, (".nii.gz", ".nii", ".mha"))
    source = _usable_header(like, labels.shape, affine)
    note = f"{_RECORD}{convention}" if convention else None
    if kind == ".mha":
        content = encode_metaimage(labels, affine, comment=note)
    else:
        level = _LEVEL if kind == ".nii.gz" else 0
        content = encode_nifti(labels, affine, source, level=level, description=note)

    def write(target: Path) -> None:
        target.write_bytes(content)

    return atomic_write(path, write, verify=_same(labels, affine), replace=replace)


def recorded_convention(path: str | Path) -> str | None:
    """Return the label convention that `write_mask` recorded in a file, or None.

    Raises
    ------
    CaseError
        If the file cannot be read.
    """
    path = Path(path)
    if path.name.lower().endswith(".mha"):
        note = read_comment(path)
    else:
        note = read_header(path)["descrip"].item().decode("latin-1")
    return note.removeprefix(_RECORD) if note.startswith(_RECORD) else None


def write_probabilities(
    path: str | Path,
    probabilities: NDArray[np.floating],
    affine: NDArray[np.float64],
    like: Path | None = None,
    *,
    names: Sequence[str] = ("WT", "TC", "ET"),
) -> Path:
    """Write region probabilities as one 4D NIfTI file, in steps of 1/65535.

    Parameters
    ----------
    path : str or Path
        ``.nii.gz`` or ``.nii``.
    probabilities : NDArray, shape (K, X, Y, Z), 0 to 1
        One map a region.
    affine : NDArray[np.float64], shape (4, 4)
        The source's affine.
    like : Path, optional
        The source, whose header is taken over.
    names : Sequence[str]
        Names of the K maps, for the header's description.

    Returns
    -------
    Path
        The file written, (X, Y, Z, K).

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    kind = _kind(path, (".nii.gz", ".nii"))
    source = _usable_header(like, probabilities.shape[1:], affine)
    steps = np.empty((*probabilities.shape[1:], len(probabilities)), np.uint16, order="F")
    for index, single in enumerate(probabilities):
        steps[..., index] = np.rint(
            np.clip(single, 0, 1, dtype=np.float32) * np.float32(_PROBABILITY_STEPS)
        )
    content = encode_nifti(
        steps,
        affine,
        source,
        level=_FAST_LEVEL if kind == ".nii.gz" else 0,
        scale=1 / _PROBABILITY_STEPS,
        description=f"probabilities of {', '.join(names)}",
    )
    return write_bytes_atomic(path, content)


def write_image(
    path: str | Path,
    voxels: NDArray[np.generic],
    affine: NDArray[np.float64],
    like: Path | None = None,
) -> Path:
    """Write an image as NIfTI in the array's own dtype; the same input gives the same bytes.

    Parameters
    ----------
    path : str or Path
        ``.nii.gz`` or ``.nii``.
    voxels : NDArray, shape (X, Y, Z) or (X, Y, Z, C)
        uint8, int16, uint16, int32, float32 or float64.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to mm, RAS+.
    like : Path, optional
        NIfTI file whose header is taken over.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    kind = _kind(path, (".nii.gz", ".nii"))
    if voxels.dtype.name not in _IMAGE_TYPES:
        raise OutputError(
            f"voxels of type {voxels.dtype.name!r} cannot be written to {str(path)!r}; convert "
            f"them to one of {', '.join(_IMAGE_TYPES)}"
        )
    source = _usable_header(like, voxels.shape[:3], affine)
    content = encode_nifti(voxels, affine, source, level=_LEVEL if kind == ".nii.gz" else 0)
    return write_bytes_atomic(path, content)


def _kind(path: Path, kinds: tuple[str, ...]) -> str:
    for kind in kinds:
        if path.name.lower().endswith(kind) and path.name.lower() != kind:
            return kind
    raise OutputError(f"cannot write {str(path)!r}: its name must end with {', '.join(kinds)}")


def _usable_header(
    like: Path | None, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> Path | None:
    """Return the source if its header fits; hours of painting outlive a moved source."""
    if like is None or like.name.lower().endswith(".mha"):
        return None
    try:
        header = read_header(like)
    except BratsError:
        return None
    fits = tuple(header["dim"][1:4]) == tuple(shape) and np.allclose(
        header.get_best_affine(), affine, atol=1e-5
    )
    return like if fits else None


def _same(labels: NDArray[np.uint8], affine: NDArray[np.float64]) -> Callable[[Path], bool]:
    def verify(path: Path) -> bool:
        try:
            written = read_volume(path, dtype=None)
        except BratsError:
            return False
        return bool(
            written.data.dtype == labels.dtype
            and np.array_equal(written.data, labels)
            and np.allclose(written.affine, affine, rtol=1e-4, atol=1e-3)
        )

    return verify
