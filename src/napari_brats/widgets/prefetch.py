"""Read the patient who comes next while the one at hand is looked at."""

import os
from collections.abc import Container, Generator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

from napari_brats.plugin.masks import saved_masks
from napari_brats.widgets.opening import Arrival, Opened, PatientRow, read_layers

if TYPE_CHECKING:
    from pathlib import Path

LEAST_FREE_BYTES = 2 * 2**30
"""With less free memory nothing is read ahead: a patient takes 0.3 GB."""

Signature = tuple[tuple[str, int, int], ...]


@dataclass
class _Fetched:
    """One patient that is being read, or was."""

    row: PatientRow
    convention: str
    done: Event = field(default_factory=Event)
    signature: Signature = ()
    arrivals: list[Arrival] = field(default_factory=list)
    opened: Opened | None = None


class Prefetch:
    """Holds at most one patient read ahead."""

    def __init__(self) -> None:
        self._next: _Fetched | None = None

    @property
    def ready(self) -> bool:
        """Whether what was asked for has been read, or nothing was."""
        return self._next is None or self._next.done.is_set()

    def want(self, row: PatientRow, convention: str, slots: Container[tuple[str, str]]) -> None:
        """Read a patient in a thread, unless that is being done or memory is short."""
        following = self._next
        if following is not None and following.row == row:
            return
        if _free_bytes() < LEAST_FREE_BYTES:
            self._next = None
            return
        self._next = fetched = _Fetched(row, convention)
        Thread(target=_fetch, args=(fetched, slots), name="napari-brats", daemon=True).start()

    def drop(self) -> None:
        """Let go of what was read."""
        self._next = None

    def layers(
        self, row: PatientRow, convention: str, slots: Container[tuple[str, str]]
    ) -> Generator[Arrival, None, Opened]:
        """Yield what `read_layers` does: from what was read ahead, if that still holds."""
        fetched, self._next = self._next, None
        if fetched is not None and fetched.row == row:
            fetched.done.wait()
            fits = fetched.convention == convention and fetched.signature == _signature(row)
            if fits and fetched.opened is not None:
                yield from fetched.arrivals
                return fetched.opened
        return (yield from read_layers(row, convention, slots))


def _fetch(fetched: _Fetched, slots: Container[tuple[str, str]]) -> None:
    try:
        fetched.signature = _signature(fetched.row)
        layers = read_layers(fetched.row, fetched.convention, slots)
        while True:
            fetched.arrivals.append(next(layers))
    except StopIteration as end:
        fetched.opened = end.value
    except Exception:  # whoever opens the patient meets it again, and is told
        fetched.opened = None
    finally:
        fetched.done.set()


def _signature(row: PatientRow) -> Signature:
    """Return what changes when a file of the patient or one of his masks does."""
    files = [*row.files.images.values(), *([row.files.reference] if row.files.reference else [])]
    paths: list[Path] = [*files, *saved_masks(row.image, row.files.case_id)]
    paths += row.more.values()
    stats = [(str(path), os.stat(path)) for path in paths]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def _free_bytes() -> int:
    import psutil  # type: ignore[import-untyped]  # ships no types

    return int(psutil.virtual_memory().available)
