"""An append-only journal of a mask's edits, which outlives the program that writes it.

A file holds a heading (whose mask, its grid, its first voxels) and then one record an edit,
each with its length and a checksum. A record that was being written when the program or the
machine died is ignored, with whatever follows it; all before it is whole. The heading carries
the first voxels themselves, so that a mask that was never saved can be had back as well, and
one whose file was changed meanwhile.

Masks are (A, B, C) uint8 in the order in which they are edited; the subject says which.
"""

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Edit, apply_edit
from napari_brats.editing.owner import Owner
from napari_brats.editing.packing import deflate, inflate, pack, unpack, voxel_count
from napari_brats.errors import JournalError

Mask = NDArray[np.uint8]

_MAGIC = b"BraTS edit journal 1\n"
_FRAME = struct.Struct("<II")
_TIME = struct.Struct("<d")
_HEADING, _EDIT, _OWNER = b"H", b"E", b"O"


@dataclass(frozen=True)
class Subject:
    """Whose edits a journal holds.

    Parameters
    ----------
    case_id, title : str
        The patient, and what made the mask.
    image : str
        Path of the patient's first image.
    mask : str
        Path of the mask's own file, empty while it has none.
    directions : str
        Where the mask's axes point, e.g. ``"IPL"``.
    affine : tuple of float
        The 16 numbers of the patient's voxel-to-millimeter matrix, row by row.
    """

    case_id: str
    title: str
    image: str
    mask: str
    directions: str
    affine: tuple[float, ...]

    def identity(self, voxels: Mask) -> str:
        """Return a SHA-256 of a mask and the grid it lies on."""
        grid = repr((self.directions, voxels.shape)).encode() + np.array(self.affine).tobytes()
        return sha256(grid + np.ascontiguousarray(voxels).tobytes()).hexdigest()


@dataclass(frozen=True)
class Replay:
    """What a journal tells.

    Parameters
    ----------
    subject : Subject
        Whose edits these are.
    owner : Owner
        Who wrote last.
    identity : str
        `Subject.identity` of the mask before the first edit.
    voxels : NDArray[np.uint8]
        The mask after the last whole edit.
    edits : int
        How many whole edits there are.
    changed_at : float
        Time of the last one (of the heading if there is none), seconds since the epoch.
    end : int
        Bytes of the file that are whole.
    """

    subject: Subject
    owner: Owner
    identity: str
    voxels: Mask
    edits: int
    changed_at: float
    end: int

    @property
    def changed(self) -> bool:
        """Whether the edits together changed anything."""
        return self.subject.identity(self.voxels) != self.identity

    def belongs_to(self, subject: Subject, voxels: Mask) -> bool:
        """Return whether a mask is what the first edit was made on, on the same grid."""
        return subject.identity(voxels) == self.identity


class JournalWriter:
    """Appends to a journal; every call leaves a whole record on the disk or none.

    Parameters
    ----------
    path : Path
        A new file.
    subject : Subject
        Whose edits follow.
    base : NDArray[np.uint8]
        The mask before the first edit.
    owner : Owner
        Who writes.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path, subject: Subject, base: Mask, owner: Owner) -> None:
        self.path, self._end, self._torn = path, len(_MAGIC), False
        facts = {
            "subject": asdict(subject),
            "owner": asdict(owner),
            "shape": base.shape,
            "identity": subject.identity(base),
        }
        text = json.dumps(facts).encode()
        with path.open("xb") as file:
            file.write(_MAGIC)
        try:
            self._append(_HEADING, struct.pack("<I", len(text)) + text + deflate(base))
        except OSError:
            self.remove()
            raise

    @classmethod
    def resume(cls, path: Path, replay: Replay, owner: Owner) -> "JournalWriter":
        """Go on where the last whole record ends; what is torn is cut off."""
        writer = cls.__new__(cls)
        writer.path, writer._end, writer._torn = path, replay.end, True
        writer._append(_OWNER, json.dumps(asdict(owner)).encode())
        return writer

    def append(self, edit: Edit) -> None:
        """Write one edit and see it on the disk."""
        self._append(_EDIT, pack(edit))

    def intact(self) -> bool:
        """Return whether the file ends where this writer left it.

        It does not where somebody deleted it, or took it for left behind and goes on with it.
        """
        try:
            size = self.path.stat().st_size
        except OSError:
            return False
        return size == self._end or (self._torn and size > self._end)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _append(self, kind: bytes, content: bytes) -> None:
        body = kind + _TIME.pack(time.time()) + content
        self._torn = True
        with self.path.open("r+b") as file:
            # After a failure, such as a full disk, the next record takes the torn one's place.
            file.seek(self._end)
            file.truncate()
            file.write(_FRAME.pack(len(body), zlib.crc32(body, len(body))) + body)
            file.flush()
            os.fsync(file.fileno())
            end = file.tell()
        self._end, self._torn = end, False


def read_journal(path: str | Path) -> Replay:
    """Replay a journal up to its last whole record.

    Parameters
    ----------
    path : str or Path
        A journal.

    Returns
    -------
    Replay

    Raises
    ------
    JournalError
        If not even the heading is whole, or the edits do not follow from one another.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise JournalError(f"cannot read {str(path)!r}: {error.strerror}") from error
    records = _records(raw)
    try:
        kind, changed_at, content, end = next(records)
        facts, voxels = _heading(kind, content)
        owner, edits = Owner(**facts["owner"]), 0
        subject = Subject(**{**facts["subject"], "affine": tuple(facts["subject"]["affine"])})
        if subject.identity(voxels) != facts["identity"]:
            raise ValueError("the first voxels are not what its heading says")
        for kind, moment, content, stop in records:
            if kind == _OWNER:
                owner = Owner(**json.loads(content))
            else:
                apply_edit(voxels, unpack(content, voxels.shape))
                edits, changed_at = edits + 1, moment
            end = stop
    except StopIteration:
        raise JournalError(_refusal(path, "it ends before its heading does")) from None
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise JournalError(_refusal(path, str(error))) from error
    return Replay(subject, owner, facts["identity"], voxels, edits, changed_at, end)


def _refusal(path: str | Path, reason: str) -> str:
    return (
        f"{str(path)!r} is no whole journal of edits: {reason}; "
        "it was left as it is, delete it if you do not need it"
    )


def _records(raw: bytes) -> Iterator[tuple[bytes, float, bytes, int]]:
    """Yield (kind, time, content, end in the file) of the whole records."""
    if not raw.startswith(_MAGIC):
        return
    place = len(_MAGIC)
    while place + _FRAME.size <= len(raw):
        length, checksum = _FRAME.unpack_from(raw, place)
        body = raw[place + _FRAME.size : place + _FRAME.size + length]
        if len(body) != length or length <= _TIME.size or zlib.crc32(body, length) != checksum:
            return
        place += _FRAME.size + length
        yield body[:1], *_TIME.unpack_from(body, 1), body[1 + _TIME.size :], place


def _heading(kind: bytes, content: bytes) -> tuple[dict[str, Any], Mask]:
    if kind != _HEADING:
        raise ValueError("it does not begin with a heading")
    (length,) = struct.unpack_from("<I", content)
    facts = json.loads(content[4 : 4 + length])
    shape = tuple(int(size) for size in facts["shape"])
    return facts, inflate(content[4 + length :], voxel_count(shape)).reshape(shape)
