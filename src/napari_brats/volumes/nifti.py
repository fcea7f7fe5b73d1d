"""NIfTI-1 and NIfTI-2, compressed or not: bytes to arrays and back.

nibabel knows the header; the voxels are taken from the checked bytes directly, so that the
file is read and decompressed once.
"""

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_brats.errors import CaseError
from napari_brats.volumes.stream import read_checked, read_start

_MOST_DIMENSIONS = 7
_PLAIN = frozenset("uif")


def read_nifti(
    path: Path, dtype: DTypeLike | None
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Return (voxels, affine) of a NIfTI file.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz``.
    dtype : DTypeLike or None
        Type to return; None keeps the stored one (float64 where the file scales).

    Returns
    -------
    tuple
        Array (X, Y, Z, ...) in Fortran order, and the affine (4, 4).

    Raises
    ------
    CaseError
        If the file is not NIfTI, or damaged.
    """
    header: Any = None

    def needed(start: bytes) -> int:
        nonlocal header
        header = parse_header(path, start)
        voxel_bytes = int(header.get_data_dtype().itemsize)
        return int(header["vox_offset"]) + math.prod(_shape(header)) * voxel_bytes

    raw = read_checked(path, needed)
    stored = header.get_data_dtype()
    shape = _shape(header)
    voxels = np.frombuffer(
        raw, stored, count=math.prod(shape), offset=int(header["vox_offset"])
    ).reshape(shape, order="F")
    slope, inter = header.get_slope_inter()
    scaled = slope is not None and (slope, inter) != (1, 0)
    wanted = dtype or (np.float64 if scaled else stored.newbyteorder("="))
    with np.errstate(over="ignore", invalid="ignore"):
        data = voxels.astype(wanted)
        if scaled:
            data *= data.dtype.type(slope)
            data += data.dtype.type(inter)
    return data, header.get_best_affine()


def parse_header(path: Path, start: bytes) -> Any:
    """Return nibabel's header out of a file's first bytes.

    Raises
    ------
    CaseError
        If these bytes are no NIfTI header, or one that makes no sense.
    """
    from nibabel import Nifti1Header, Nifti2Header
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    kinds: dict[int, Any] = {348: Nifti1Header, 540: Nifti2Header}
    sizes = [int.from_bytes(start[:4], order) for order in ("little", "big")]
    kind = next((kinds[size] for size in sizes if size in kinds), None)
    if kind is None:
        raise CaseError(
            f"{str(path)!r} is not a NIfTI file: it starts with {start[:12]!r}; choose a "
            ".nii or .nii.gz volume"
        )
    try:
        header = kind(start[: kind.sizeof_hdr], check=False)
        stored = header.get_data_dtype()
        affine = header.get_best_affine()
        header.get_slope_inter()
    except KeyError as error:
        raise _nonsense(path, f"its data type {error} is unknown") from error
    except (HeaderDataError, WrapStructError, ValueError) as error:
        raise _nonsense(path, str(error)) from error
    if not header["magic"].item().startswith((b"n+1", b"n+2")):
        raise _nonsense(path, f"its magic is {header['magic'].item()!r}")
    if not 1 <= header["dim"][0] <= _MOST_DIMENSIONS or min(_shape(header), default=0) < 1:
        raise _nonsense(path, f"it gives the dimensions {header['dim'].tolist()}")
    if stored.kind not in _PLAIN:
        raise _nonsense(path, f"its voxels are of type {stored.name!r}, not plain numbers")
    if not kind.single_vox_offset <= header["vox_offset"] < np.inf:
        raise _nonsense(path, f"its voxels start at byte {header['vox_offset']}")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < np.finfo(float).tiny:
        raise _nonsense(path, f"its affine {affine[:3].tolist()} cannot be inverted")
    return header


def read_header(path: Path) -> Any:
    """Return nibabel's header of a file without reading its voxels."""
    return parse_header(path, read_start(path))


def storage_step(path: Path) -> float:
    """Return the difference of neighboring stored numbers where a file scales them, else 0."""
    slope, _ = read_header(path).get_slope_inter()
    return 0.0 if slope is None or slope == 1 else abs(float(slope))


def encode_nifti(
    voxels: NDArray[np.generic],
    affine: NDArray[np.float64],
    like: Path | None,
    *,
    level: int,
    scale: float = 1.0,
    description: str | None = None,
) -> bytes:
    """Return voxels as a NIfTI file, with another file's header where there is one.

    Parameters
    ----------
    voxels : NDArray, shape (X, Y, Z) or (X, Y, Z, C)
        Stored in their own dtype.
    affine : NDArray[np.float64], shape (4, 4)
        For the header where ``like`` is None.
    like : Path or None
        NIfTI file whose header (sform, qform, their codes, units) is taken over, without
        extensions: those describe the image's own voxels.
    level : int
        Of gzip, 1 (fast) to 9 (small), 0 for none; the same voxels give the same bytes.
    scale : float
        What a stored number must be multiplied with.
    description : str, optional
        At most 79 letters for the header.
    """
    header = _plain_header(affine) if like is None else read_header(like)
    spacing = header["pixdim"].copy()
    same = header["dim"][0] == voxels.ndim
    header.set_data_shape(voxels.shape)
    if same:
        header["pixdim"] = spacing
    header.set_data_dtype(voxels.dtype)
    header.set_slope_inter(scale, 0)
    header["cal_min"] = header["cal_max"] = 0
    header["vox_offset"] = header.single_vox_offset
    if description is not None:
        header["descrip"] = description.encode()[:79]
    start = header.binaryblock.ljust(header.single_vox_offset, b"\0")
    stored = voxels.astype(header.get_data_dtype(), copy=False)
    content = start + stored.tobytes(order="F")
    return gzip.compress(content, compresslevel=level, mtime=0) if level else content


def _plain_header(affine: NDArray[np.float64]) -> Any:
    from nibabel import Nifti1Header

    kind: Any = Nifti1Header
    header = kind()
    header["magic"] = header.single_magic
    header.set_data_shape((1, 1, 1))
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=1)
    header.set_xyzt_units("mm", "sec")
    return header


def _shape(header: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in header["dim"][1 : 1 + header["dim"][0]])


def _nonsense(path: Path, what: str) -> CaseError:
    return CaseError(
        f"{str(path)!r} has a header that makes no sense: {what}; copy or download it again"
    )
