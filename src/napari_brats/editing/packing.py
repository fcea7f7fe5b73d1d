"""Edits and masks as bytes, and back; what a file claims is checked before it is believed."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Box, Edit

_BOX = struct.Struct("<6I")
_LEVEL = 1
_MOST_VOXELS = 2**31


def deflate(voxels: NDArray[np.uint8]) -> bytes:
    """Compress an array."""
    return zlib.compress(np.ascontiguousarray(voxels).data, _LEVEL)


def inflate(content: bytes, length: int) -> NDArray[np.uint8]:
    """Decompress what must have a known length: no more memory is taken than that.

    Raises
    ------
    ValueError, zlib.error
        If it has another, or is not compressed.
    """
    plain = zlib.decompressobj().decompress(content, length + 1)
    if len(plain) != length:
        raise ValueError("its voxels have another number than it says")
    return np.frombuffer(bytearray(plain), np.uint8)


def pack(edit: Edit) -> bytes:
    """Return an edit as bytes."""
    parts = [struct.pack("<I", len(edit))]
    for box in edit:
        parts += (_BOX.pack(*box.start, *box.new.shape), box.old.tobytes(), box.new.tobytes())
    plain = b"".join(parts)
    return struct.pack("<I", len(plain)) + zlib.compress(plain, _LEVEL)


def unpack(content: bytes, shape: tuple[int, ...]) -> Edit:
    """Return the edit that `pack` was given.

    Parameters
    ----------
    content : bytes
        Of a file.
    shape : tuple of int
        Of the mask.

    Raises
    ------
    ValueError, struct.error, zlib.error
        If it holds no edit of a mask of that shape.
    """
    (length,) = struct.unpack_from("<I", content)
    plain = inflate(content[4:], length).tobytes()
    (count,) = struct.unpack_from("<I", plain)
    place, boxes = 4, []
    for _ in range(count):
        a, b, c, *size = _BOX.unpack_from(plain, place)
        if any(s + n > limit for s, n, limit in zip((a, b, c), size, shape, strict=True)):
            raise ValueError("an edit reaches beyond the mask")
        voxels, place = voxel_count(tuple(size)), place + _BOX.size
        old, new = (
            np.frombuffer(plain, np.uint8, voxels, place + skip).reshape(size)
            for skip in (0, voxels)
        )
        boxes.append(Box((a, b, c), old, new))
        place += 2 * voxels
    return tuple(boxes)


def voxel_count(shape: tuple[int, ...]) -> int:
    """Return how many voxels a box has that a file claims to hold.

    Raises
    ------
    ValueError
        If no mask is that large, or it is no box of three sides.
    """
    count = int(np.prod([int(size) for size in shape], dtype=object))
    if len(shape) != 3 or not 0 <= count <= _MOST_VOXELS:
        raise ValueError(f"it claims a box of {shape} voxels")
    return count
