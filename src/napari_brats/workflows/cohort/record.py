"""The record of one mask: what it was made from, and whether it is still good.

A record is written last. A mask without one, or with one that does not fit, is made again;
a mask that a person changed is never replaced.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from napari_brats.errors import BratsError, CaseError
from napari_brats.volumes import read_codes, sha256_of, write_json_atomic
from napari_brats.workflows.cohort.job import Inputs, Job, Maker
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.row import Row, State

Rows = Mapping[str, Mapping[str, float | None]]
"""Value by region and metric."""

SCHEMA = 1
CHANGED = "the mask was changed by hand since it was made; it is kept"


@dataclass(frozen=True)
class Record:
    """What is written about one mask.

    Parameters
    ----------
    row : Row
        Its line of the table.
    inputs : Inputs
        The patient's files.
    run : Mapping[str, Any]
        What ``segment --json`` prints, and the mask's ``labels``; of a failure only the case
        and the model.
    task : str
        Row of `TASKS` whose rules scored it; empty without a reference.
    scores : Rows
        `METRICS` by region, as `Evaluation.rows` gives them; what does not exist is None.
    trace : str
        The traceback of a failure that is nobody's mistake.
    """

    row: Row
    inputs: Inputs
    run: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    scores: Rows = field(default_factory=dict)
    trace: str = ""

    @property
    def labels(self) -> str:
        """Row of `LABEL_CONVENTIONS` that the mask was written with."""
        return str(self.run.get("labels") or dict(self.inputs.meaning)["labels"])

    def to_json(self) -> dict[str, Any]:
        """Return the file's content; ``report --run`` takes it as well."""
        return {
            "schema": SCHEMA,
            "case": self.row.patient,
            "model": self.row.model,
            **self.run,
            "inputs": {
                role: {"path": path, "sha256": sha256} for role, path, sha256 in self.inputs.files
            },
            "meaning": dict(self.inputs.meaning),
            "row": self.row.cells(),
            "task": self.task,
            "metrics": {region: dict(values) for region, values in self.scores.items()},
            "traceback": self.trace,
        }


def software() -> str:
    """Return name and version, as records have them."""
    from napari_brats import __version__

    return f"napari-brats {__version__}"


def now() -> str:
    """Return the time as records have it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_record(path: Path) -> Record:
    """Read a record.

    Raises
    ------
    CaseError
        If it is not there, is damaged, or is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        row = Row.from_cells(content["row"], str(path))
        files = tuple(
            (role, str(one["path"]), str(one["sha256"])) for role, one in content["inputs"].items()
        )
        inputs = Inputs(files, tuple(content["meaning"].items()))
        scores, task, trace = content["metrics"], content["task"], content["traceback"]
        run = {name: value for name, value in content.items() if name not in _OURS}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaseError(
            f"{str(path)!r} is no record of a mask ({error!r}); run napari-brats cohort again"
        ) from error
    return Record(row, inputs, run, task, scores, trace)


_OURS = frozenset(("schema", "inputs", "meaning", "row", "task", "metrics", "traceback"))


def write_record(layout: Layout, record: Record) -> None:
    """Write a record, whole or not at all."""
    write_json_atomic(layout.record(*record.row.key), record.to_json())


def standing(job: Job, maker: Maker, inputs: Inputs) -> Row | None:
    """Return the row of an earlier result that is still valid, or None.

    Parameters
    ----------
    job, maker
        What is wanted.
    inputs : Inputs
        The patient's files as they are now.

    Returns
    -------
    Row or None
        Of a mask, where all hashes and the version match and every wanted file is there and
        whole; of a failure, where they match and it is not to be tried again.
    """
    layout = Layout(job.root)
    try:
        row = read_record(layout.record(job.case_id, maker.name)).row
    except CaseError:
        return None
    made_from = (row.inputs_sha256, row.weights_sha256, row.settings_sha256, row.software)
    if made_from != (inputs.sha256, maker.sha256, job.settings.sha256, software()):
        return None
    if row.state is State.FAILED:
        return None if job.retry else row
    beside = [row.probabilities] * job.settings.probabilities + [row.figure] * job.settings.figures
    if not all(name and (job.root / name).is_file() for name in beside):
        return None
    return _with_its_mask(row, job.root / row.mask)


def _with_its_mask(row: Row, mask: Path) -> Row | None:
    try:
        if sha256_of(mask) == row.mask_sha256:
            return row
    except OSError:
        return None
    if not is_whole(mask):
        return None
    return replace(row, warnings=tuple(dict.fromkeys((*row.warnings, CHANGED))))


def is_whole(mask: Path) -> bool:
    """Return whether a mask can be read to its end."""
    try:
        read_codes(mask)
    except BratsError:
        return False
    return True


def free_mask(job: Job, maker: Maker, is_same: Callable[[Path], bool]) -> Path:
    """Return the file for a new mask: the usual one, unless a person's work is in it.

    Parameters
    ----------
    job, maker
        Whose mask.
    is_same : callable
        Whether a file holds the very voxels that are to be written.

    Returns
    -------
    Path
        The first name that is free, or whose file is ours (the record has its hash), the
        same, or cannot be read by anybody.
    """
    layout = Layout(job.root)
    try:
        ours = read_record(layout.record(job.case_id, maker.name)).row.mask_sha256
    except CaseError:
        ours = ""
    names = (layout.mask(job.case_id, maker.name, job.source, number) for number in count(1))

    def may_go(path: Path) -> bool:
        return sha256_of(path) == ours or not is_whole(path) or is_same(path)

    return next(path for path in names if not path.exists() or may_go(path))
