"""MetaImage (.mha), the format of BraTS 2012-2015: a text header, then the voxels.

ITK counts millimeters toward left and posterior (LPS), nibabel toward right and anterior
(RAS); the affine is translated here. Format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_brats.errors import CaseError
from napari_brats.volumes.stream import MOST_PER_BYTE, read_raw, read_start, require_bytes

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
_LONGEST_HEADER = 65536


def read_metaimage(
    path: Path, dtype: DTypeLike | None
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Return (voxels, affine) of a MetaImage file.

    Parameters
    ----------
    path : Path
        ``.mha``, compressed or not.
    dtype : DTypeLike or None
        Type to return; None keeps the stored one.

    Returns
    -------
    tuple
        Array (X, Y, Z) in Fortran order, and the affine (4, 4), RAS+.

    Raises
    ------
    CaseError
        If the file is not a MetaImage, or damaged.
    """
    raw = read_raw(path)
    fields, start = _fields(path, raw)
    try:
        shape = tuple(int(size) for size in fields["DimSize"].split())
        stored = np.dtype(_TYPES[fields["ElementType"]])
        dimensions = int(fields.get("NDims", 3))
        channels = int(fields.get("ElementNumberOfChannels", 1))
        affine = _affine(fields)
    except (KeyError, ValueError) as error:
        raise _nonsense(path, f"{error} is missing or unknown") from error
    if (dimensions, len(shape)) != (3, 3) or min(shape) < 1:
        raise _nonsense(path, f"it is {dimensions}D with size {fields['DimSize']!r}, not 3D")
    if channels != 1:
        raise _nonsense(path, "its voxels are not plain numbers")
    if not _true(fields, "BinaryData", "True"):
        raise _nonsense(path, "its voxels are written as text")
    if not abs(np.linalg.det(affine[:3, :3])) > 0 or not np.isfinite(affine).all():
        raise _nonsense(path, f"its affine {affine[:3].tolist()} cannot be inverted")
    if _true(fields, "BinaryDataByteOrderMSB") or _true(fields, "ElementByteOrderMSB"):
        stored = stored.newbyteorder(">")
    size = math.prod(shape) * stored.itemsize
    content = raw[start:]
    if _true(fields, "CompressedData"):
        content = _inflate(path, content, size)
    require_bytes(path, len(content), size)
    voxels = np.frombuffer(content, stored, count=math.prod(shape)).reshape(shape, order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        return voxels.astype(dtype or stored.newbyteorder("=")), affine


def read_comment(path: Path) -> str:
    """Return the comment at the beginning of a MetaImage's header, empty without one.

    Raises
    ------
    CaseError
        If the file cannot be read.
    """
    for line in read_start(path).split(b"\n"):
        key, _, value = line.decode("latin-1").partition("=")
        if key.strip() == "Comment":
            return value.strip()
    return ""


def encode_metaimage(
    voxels: NDArray[np.uint8], affine: NDArray[np.float64], comment: str | None = None
) -> bytes:
    """Return a mask as a compressed MetaImage file.

    Parameters
    ----------
    voxels : NDArray[np.uint8], shape (X, Y, Z)
        The mask.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to mm, RAS+.
    comment : str, optional
        One line for the header.
    """
    directions = _LPS_TO_RAS @ affine[:3, :3]
    spacing = np.linalg.norm(directions, axis=0)
    compressed = zlib.compress(voxels.tobytes(order="F"), 6)
    fields = {
        "ObjectType": "Image",
        **({"Comment": comment} if comment else {}),
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(len(compressed)),
        "TransformMatrix": _numbers((directions / spacing).T.ravel()),
        "Offset": _numbers(_LPS_TO_RAS @ affine[:3, 3]),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": _numbers(spacing),
        "DimSize": " ".join(str(size) for size in voxels.shape),
        "ElementType": "MET_UCHAR",
        "ElementDataFile": "LOCAL",
    }
    text = "".join(f"{key} = {value}\n" for key, value in fields.items())
    return text.encode() + compressed


def _fields(path: Path, raw: bytes) -> tuple[dict[str, str], int]:
    """Return the header's fields and where the voxels start."""
    fields: dict[str, str] = {}
    start = 0
    while (end := raw.find(b"\n", start, _LONGEST_HEADER)) >= 0:
        key, equals, value = raw[start:end].decode("latin-1").partition("=")
        start = end + 1
        if not equals:
            break
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            if value.strip() != "LOCAL":
                raise _nonsense(path, f"its voxels lie in another file, {value.strip()!r}")
            return fields, start
    raise CaseError(
        f"{str(path)!r} is not a MetaImage file: it starts with {raw[:12]!r}; choose a .mha volume"
    )


def _affine(fields: dict[str, str]) -> NDArray[np.float64]:
    def numbers(*keys: str, default: str) -> NDArray[np.float64]:
        text = next((fields[key] for key in keys if key in fields), default)
        return np.array([float(number) for number in text.split()])

    rows = numbers("TransformMatrix", "Rotation", "Orientation", default="1 0 0 0 1 0 0 0 1")
    offset = numbers("Offset", "Position", "Origin", default="0 0 0")
    spacing = numbers("ElementSpacing", default="1 1 1")
    affine = np.eye(4)
    # MetaIO stores the direction of one voxel axis a row; an affine has it a column.
    affine[:3, :3] = _LPS_TO_RAS @ rows[:9].reshape(3, 3).T * spacing[:3]
    affine[:3, 3] = _LPS_TO_RAS @ offset[:3]
    return affine


def _inflate(path: Path, content: bytes, size: int) -> bytes:
    require_bytes(path, len(content) * MOST_PER_BYTE, size)
    stream = zlib.decompressobj()
    try:
        voxels = stream.decompress(content, size + 1)
    except zlib.error as error:
        raise CaseError(
            f"{str(path)!r} is damaged; copy or download it again (zlib: {error})"
        ) from error
    if not stream.eof:
        require_bytes(path, min(len(voxels), size - 1), size)
    return voxels


def _true(fields: dict[str, str], key: str, default: str = "False") -> bool:
    return fields.get(key, default)[:1].lower() in ("t", "1")


def _numbers(values: NDArray[np.float64]) -> str:
    return " ".join(repr(float(value)) for value in values + 0.0)


def _nonsense(path: Path, what: str) -> CaseError:
    return CaseError(
        f"{str(path)!r} has a MetaImage header that cannot be used: {what}; expected the "
        "format of BraTS 2012-2015; copy or download it again"
    )
