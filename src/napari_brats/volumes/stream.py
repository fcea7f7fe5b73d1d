"""Read a file to its end, once, and believe it only if its checksum is right."""

import zlib
from collections.abc import Callable
from pathlib import Path

from napari_brats.errors import CaseError

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_HEADER_PROBE = 1024
_FILE_PROBE = 4096
MOST_PER_BYTE = 1032
"""Deflate cannot make more than this many bytes out of one."""

_DAMAGED = "is damaged; copy or download it again"


def read_checked(path: Path, needed: Callable[[bytes], int]) -> bytes:
    """Return a file's bytes, decompressed if it is gzip, with length and CRC checked.

    Parameters
    ----------
    path : Path
        A volume, compressed or not (told by its first bytes, not by its name).
    needed : Callable[[bytes], int]
        Takes the first 1024 bytes and returns how many the file must hold by its header.
        It is called before anything of that size is allocated, and may raise `CaseError`.

    Returns
    -------
    bytes
        At least as many as needed.

    Raises
    ------
    CaseError
        If the file cannot be read, is empty, too short for its header, or damaged.
    """
    raw = read_raw(path)
    if not raw.startswith(_GZIP_MAGIC):
        require_bytes(path, len(raw), needed(raw[:_HEADER_PROBE]))
        return raw
    try:
        probe = zlib.decompressobj(_GZIP_WINDOW).decompress(raw[:_FILE_PROBE], _HEADER_PROBE)
    except zlib.error as error:
        raise CaseError(f"{str(path)!r} {_DAMAGED} (gzip: {error})") from error
    size = needed(probe)
    require_bytes(path, len(raw) * MOST_PER_BYTE, size)
    return _inflate(path, raw, size)


def read_raw(path: Path) -> bytes:
    """Return a file's bytes as they are.

    Raises
    ------
    CaseError
        If it cannot be read or is empty.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CaseError(
            f"{str(path)!r} cannot be read: {error.strerror or error}; check the path and "
            "the permissions"
        ) from error
    if not raw:
        raise CaseError(f"{str(path)!r} is empty; copy or download it again")
    return raw


def read_start(path: Path) -> bytes:
    """Return the first 1024 bytes of a file, decompressed if it is gzip.

    Raises
    ------
    CaseError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_PROBE)
        if raw.startswith(_GZIP_MAGIC):
            return zlib.decompressobj(_GZIP_WINDOW).decompress(raw, _HEADER_PROBE)
    except (OSError, zlib.error) as error:
        raise CaseError(f"{str(path)!r} cannot be read: {error}; check the file") from error
    return raw[:_HEADER_PROBE]


def _inflate(path: Path, raw: bytes, size: int) -> bytes:
    """Decompress all members of a gzip file; zlib compares CRC and length at each end."""
    pieces: list[bytes] = []
    got = 0
    rest = raw
    while rest.startswith(_GZIP_MAGIC):
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            pieces.append(stream.decompress(rest, max(size - got, _HEADER_PROBE)))
            got += len(pieces[-1])
            while not stream.eof and stream.unconsumed_tail:
                # What follows the volume is of no use, but its checksum stands at its end.
                stream.decompress(stream.unconsumed_tail, 1 << 20)
        except zlib.error as error:
            raise CaseError(f"{str(path)!r} {_DAMAGED} (gzip: {error})") from error
        if not stream.eof:
            raise CaseError(
                f"{str(path)!r} ends early: {got} of {size} bytes came out of it; copy or "
                "download it again"
            )
        rest = stream.unused_data
    require_bytes(path, got, size)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def require_bytes(path: Path, got: int, size: int) -> None:
    """Raise a `CaseError` if a file cannot hold the bytes its header claims."""
    if got < size:
        raise CaseError(
            f"{str(path)!r} claims {size} bytes of voxels in its header but holds {got} at "
            "most; the file is cut off or its header is damaged; copy or download it again"
        )
