"""Keep a mask's journal up to date with the mask, in the background."""

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.boxes import Edit, apply_edit, difference
from napari_brats.editing.codes import as_codes
from napari_brats.editing.journal import JournalWriter, Replay, Subject
from napari_brats.editing.owner import Owner
from napari_brats.editing.places import journal_name
from napari_brats.errors import OutputError


class Recorder:
    """Journals how one mask departs from its base, whatever changes it.

    It compares the mask with what the journal already tells, so no edit can be missed or
    counted twice. The file is made at the first difference. Any thread may call any method.

    Parameters
    ----------
    read : callable
        Returns the mask as it is now, (A, B, C) integers, or None once it is gone.
    subject : Subject
        Whose mask it is.
    folders : sequence of Path
        Where the journal may lie, the best first.
    base : NDArray of integers
        The mask as it is safe on disk; zeros if it is nowhere. Copied.
    """

    def __init__(
        self,
        read: Callable[[], NDArray[Any] | None],
        subject: Subject,
        folders: Sequence[Path],
        base: NDArray[Any],
    ) -> None:
        self._read = read
        self._subject = subject
        self._folders = tuple(folders)
        self._known = as_codes(base).copy()
        self._owner = Owner.new()
        self._writer: JournalWriter | None = None
        self._rebased = self._ended = False
        self._lock = Lock()

    @property
    def path(self) -> Path | None:
        """The journal, if there is one."""
        return None if self._writer is None else self._writer.path

    def resume(self, path: Path, replay: Replay) -> None:
        """Go on with a journal whose edits the mask was given.

        Raises
        ------
        OutputError
            If it cannot be written to.
        """
        with self._lock:
            try:
                writer = JournalWriter.resume(path, replay, self._owner)
            except OSError as error:
                raise OutputError(_trouble(path, error)) from error
            self._drop_file()
            self._writer, self._known = writer, replay.voxels.copy()

    def record(self) -> None:
        """Write what changed since the last time, if anything did.

        Raises
        ------
        OutputError
            If no folder takes it; the next call tries again, with all that is missing.
        """
        voxels = self._read()
        if voxels is None or voxels.shape != self._known.shape:
            return
        with self._lock:
            if self._ended:  # asked while it was stopped by another thread
                return
            if self._writer is not None and not self._writer.intact():
                # What the file told is told by nobody else now: the next one tells it all.
                self._writer = None
                if not self._rebased:
                    self._known = np.zeros_like(self._known)
            edit = difference(self._known, as_codes(voxels))
            if self._rebased:
                self._begin_anew(edit)
            elif edit:
                self._writer = self._writer or self._create()
                self._append(edit)

    def rebase(self, saved: NDArray[Any], subject: Subject, folders: Sequence[Path]) -> None:
        """Note that a mask was saved: the next `record` keeps only what came after.

        Parameters
        ----------
        saved : NDArray of integers
            What was saved; copied.
        subject, folders
            As for a new recorder.
        """
        with self._lock:
            self._known = as_codes(saved).copy()
            self._subject, self._folders = subject, tuple(folders)
            self._rebased = True

    def touch(self) -> None:
        """Show other machines that the journal is in use."""
        with self._lock, contextlib.suppress(OSError):
            if self._writer is not None:
                os.utime(self._writer.path)

    def leave(self) -> Path | None:
        """Stop, and leave the journal to be found; returns it."""
        with self._lock:
            self._stop()
            path, self._writer = self.path, None
            return path

    def drop(self) -> None:
        """Stop, and delete the journal: its edits are saved or not wanted."""
        with self._lock:
            self._stop()
            self._drop_file()

    def _stop(self) -> None:
        self._ended = True
        self._owner.release()

    def _begin_anew(self, edit: Edit) -> None:
        """Put a journal of what came after a save in place of the one before it."""
        before, self._writer = self._writer, None
        if edit:
            try:
                self._writer = self._create()
                self._append(edit)
            except OutputError:
                self._drop_file()
                self._writer = before
                raise
        self._rebased = False
        if before is not None:
            with contextlib.suppress(OSError):
                before.remove()

    def _create(self) -> JournalWriter:
        name = journal_name(self._subject.case_id, secrets.token_hex(4))
        trouble = ""
        for folder in self._folders:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                return JournalWriter(folder / name, self._subject, self._known, self._owner)
            except OSError as error:
                trouble = _trouble(folder, error)
        raise OutputError(trouble)

    def _append(self, edit: Edit) -> None:
        assert self._writer is not None
        try:
            self._writer.append(edit)
        except OSError as error:
            raise OutputError(_trouble(self._writer.path, error)) from error
        apply_edit(self._known, edit)

    def _drop_file(self) -> None:
        if self._writer is not None and self._writer.intact():
            with contextlib.suppress(OSError):
                self._writer.remove()
        self._writer = None


def _trouble(path: Path, error: OSError) -> str:
    return (
        f"edits cannot be kept in {str(path)!r}: {error.strerror or error}; "
        "save the mask, then free some space or set NAPARI_BRATS_DATA to another folder"
    )
