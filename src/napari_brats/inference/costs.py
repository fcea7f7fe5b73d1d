"""What models take on this computer, learned from the runs that were made here.

Every run leaves a line in a small file of the user's cache folder; the next one, and whoever
asks before pressing Run, get the median of the latest. Importing this module does not import
torch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from napari_brats.errors import OutputError
from napari_brats.inference.places import cache_folder
from napari_brats.volumes import atomic_write

FILE = "costs.json"
KEPT = 8
"""Runs of each kind that are remembered."""

Kind = tuple[str, str, str, bool]

_HERE: set[tuple[str, str, str]] = set()


@dataclass(frozen=True)
class Run:
    """One patient's run.

    Parameters
    ----------
    model : str
        Name of the weights.
    engine, device : str
        Key in `ENGINES`, and the device's title with its precision.
    first : bool
        Whether it was this program's first of that model, engine and device: it then paid for
        loading, converting or compiling too.
    voxels : int
        Of the prepared volume.
    network_seconds, total_seconds : float
        Of the network alone, and from folder to mask.
    memory_bytes : int
        What the network needed beside its weights.
    """

    model: str
    engine: str
    device: str
    first: bool
    voxels: int
    network_seconds: float
    total_seconds: float
    memory_bytes: int

    @property
    def kind(self) -> Kind:
        """What it can be compared with."""
        return self.model, self.engine, self.device, self.first


@dataclass(frozen=True)
class Expectation:
    """What a patient will take, from the median of earlier runs.

    Parameters
    ----------
    seconds, first_seconds : float or None
        From folder to mask, of a later and of a program's first patient; None where no such
        run was made.
    memory_bytes : int
        Of the network.
    engine, device : str
        With which it was measured.
    runs : int
        How many runs it rests on.
    """

    seconds: float | None
    first_seconds: float | None
    memory_bytes: int
    engine: str
    device: str
    runs: int

    def in_words(self) -> str:
        """Return one line for people, e.g. ``"0.8 s (the first 2.9 s), 0.5 GB; torch, CPU"``."""
        first = "" if self.first_seconds is None else _seconds(self.first_seconds)
        took = f"{first} for the first patient"
        if self.seconds is not None:
            took = _seconds(self.seconds) + (f" (the first {first})" if first else "")
        return f"{took}, {self.memory_bytes / 1e9:.1f} GB; {self.engine}, {self.device}"


class Costs:
    """The runs that are remembered.

    Parameters
    ----------
    runs : iterable of Run
        Oldest first.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.runs: tuple[Run, ...] = tuple(runs)

    @classmethod
    def load(cls, path: Path | None = None) -> "Costs":
        """Read the file; what is missing or damaged counts as no runs."""
        try:
            rows = json.loads((path or costs_file()).read_text("utf-8"))
            return cls(_run(row) for row in rows)
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def with_run(self, run: Run) -> "Costs":
        """Return these and one more; of its kind the oldest beyond `KEPT` goes."""
        same = [old for old in self.runs if old.kind == run.kind]
        forgotten = same[: max(0, len(same) - KEPT + 1)]
        return Costs([*(old for old in self.runs if old not in forgotten), run])

    def save(self, path: Path | None = None) -> None:
        """Write the file; where that fails, the runs are not remembered."""
        text = json.dumps([asdict(run) for run in self.runs], indent=1)
        try:
            atomic_write(path or costs_file(), lambda part: _write(part, text))
        except OutputError:
            return

    def expect(self, model: str, engine: str | None = None) -> Expectation | None:
        """Return what a patient will take with a model, or None where nothing is known.

        Without an engine it is the one of the latest run.
        """
        runs = [run for run in self.runs if run.model == model and engine in (None, run.engine)]
        if not runs:
            return None
        latest = runs[-1]
        alike = [run for run in runs if run.kind[:3] == latest.kind[:3]]
        seconds = {
            first: [run.total_seconds for run in alike if run.first is first]
            for first in (True, False)
        }
        return Expectation(
            seconds=median(seconds[False]) if seconds[False] else None,
            first_seconds=median(seconds[True]) if seconds[True] else None,
            memory_bytes=int(median(run.memory_bytes for run in alike)),
            engine=latest.engine,
            device=latest.device,
            runs=len(alike),
        )

    def network_seconds(
        self, model: str, engine: str, device: str, voxels: int, first: bool
    ) -> float | None:
        """Return what the network will take for a volume, or None where nothing is known."""
        kind = (model, engine, device, first)
        rates = [run.network_seconds / run.voxels for run in self.runs if run.kind == kind]
        return median(rates) * voxels if rates else None

    def fastest(
        self, model: str, engines: Mapping[str, bool], device: str, voxels: int
    ) -> str | None:
        """Return the engine that will be done first, or None unless all of them are known.

        Parameters
        ----------
        model, device : str
            As in `Run`.
        engines : Mapping[str, bool]
            Key in `ENGINES` to whether this would be its first run.
        voxels : int
            Of the prepared volume.
        """
        seconds = {
            engine: self.network_seconds(model, engine, device, voxels, first)
            for engine, first in engines.items()
        }
        known = {engine: took for engine, took in seconds.items() if took is not None}
        return min(known, key=known.__getitem__) if len(known) == len(engines) > 0 else None


def remember(run: Run) -> None:
    """Add a run to the file, and know from now on that this program has made it."""
    _HERE.add(run.kind[:3])
    Costs.load().with_run(run).save()


def has_run(model: str, engine: str, device: str) -> bool:
    """Return whether this program has run a model so before."""
    return (model, engine, device) in _HERE


def _seconds(number: float) -> str:
    return f"{number:.2g} s" if number < 10 else f"{number:.0f} s"


def costs_file() -> Path:
    """Return where the runs are remembered."""
    return cache_folder() / FILE


def _run(row: Any) -> Run:
    run = Run(**row)
    amounts = (run.network_seconds, run.total_seconds, run.memory_bytes)
    if not (run.voxels > 0 and all(0 <= amount < inf for amount in amounts)):
        raise ValueError("damaged")
    return run


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
