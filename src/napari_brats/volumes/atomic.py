"""Write a file or folder whole or not at all: a failure never costs what was there before."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_brats.errors import OutputError, TakenError

_CURES = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EACCES: "writing is not permitted there; choose another folder",
    errno.EPERM: "writing is not permitted there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOTDIR: "a part of the path is a file; choose another folder",
    errno.EEXIST: "a part of the path is a file; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def atomic_write(
    path: str | Path,
    write: Callable[[Path], None],
    *,
    verify: Callable[[Path], bool] | None = None,
    replace: bool = True,
) -> Path:
    """Let a function write a temporary file beside the target, then put it in place.

    Parameters
    ----------
    path : str or Path
        The target. Folders that lack are made. A link is followed, not replaced.
    write : Callable[[Path], None]
        Writes the whole file to the path it is given, which ends like the target.
    verify : Callable[[Path], bool], optional
        Reads the file again and returns whether it holds what was meant.
    replace : bool
        False: a file that is there already stays, even one that came during the writing.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    OutputError
        If the file cannot be written or reads back differently. The old file, if any, is
        then untouched and no temporary file is left.
    TakenError
        If there is one and ``replace`` is False.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(6)}-{target.name}")
    try:
        if target.is_dir():
            raise OutputError(f"{str(path)!r} is a folder; add a file name to it")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(f"{str(path)!r} is write-protected; choose another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            _flush(temporary)
            if verify is not None and not verify(temporary):
                raise OutputError(
                    f"{str(path)!r} read back differently from what was written and was not "
                    "kept; check the disk or choose another folder"
                )
            if replace:
                if target.exists():
                    with contextlib.suppress(OSError):  # shares and sticks without permissions
                        shutil.copymode(target, temporary)
                os.replace(temporary, target)
            else:
                _put_in_place(temporary, target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        _flush_folder(target.parent)
    except OSError as error:
        raise _not_written(path, error) from error
    return path


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write into that is put in place when all is written, or not at all.

    Raises
    ------
    OutputError
        If there is a folder with something in it already, or it cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir()) or path.samefile(os.curdir)):
        raise OutputError(
            f"{str(path)!r} exists and is not empty or where you are; choose a new folder"
        )
    temporary = path.with_name(f".{secrets.token_hex(6)}-{path.name}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rmdir()
        os.replace(temporary, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _not_written(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    cure = _CURES.get(error.errno or 0, "choose another folder")
    return OutputError(f"cannot write {str(path)!r}: {reason}; {cure}")


def _put_in_place(temporary: Path, target: Path) -> None:
    """Move a file to a name that nobody has; the name is claimed in one step with looking."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError as error:
        raise TakenError(f"{str(target)!r} exists already; choose another name") from error
    try:
        os.replace(temporary, target)
    except OSError:
        target.unlink()
        raise


def write_bytes_atomic(path: str | Path, content: bytes) -> Path:
    """Write bytes through `atomic_write` and compare them when read back."""

    def write(target: Path) -> None:
        target.write_bytes(content)

    return atomic_write(path, write, verify=lambda written: written.read_bytes() == content)


def write_text_atomic(path: str | Path, text: str) -> Path:
    r"""Write text as UTF-8 through `write_bytes_atomic`.

    The bytes of a file name that is no UTF-8 come out as ``\udcXX``, which JSON reads back.
    """
    return write_bytes_atomic(path, text.encode(errors="backslashreplace"))


def write_json_atomic(path: str | Path, value: object) -> Path:
    """Write a value as indented JSON through `atomic_write`.

    Parameters
    ----------
    path : str or Path
        The target.
    value : object
        Anything `json.dumps` takes; NaN and infinity are refused, as JSON has neither.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return write_text_atomic(path, f"{text}\n")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power failure, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
