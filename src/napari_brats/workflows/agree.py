"""Compare several masks of a case, or of many cases, and join them to a consensus."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Segmentation, load_mask, save_segmentation
from napari_brats.errors import BratsError, CaseError, LabelError, OutputError
from napari_brats.metrics.agreement import Agreement, agreement, icc
from napari_brats.metrics.consensus import Consensus, consensus
from napari_brats.naming import split_extension
from napari_brats.plugin.masks import mask_path
from napari_brats.regions import LABEL_CONVENTIONS, LabelConvention, label_convention
from napari_brats.volumes import Volume, recorded_convention, require_same_grid, voxel_ml
from napari_brats.workflows.mask_names import naming_of


@dataclass(frozen=True)
class Compared:
    """One case's masks, compared.

    Parameters
    ----------
    masks : Mapping[str, Path]
        By reader.
    agreement : Agreement
        In the readers' order.
    consensus : Consensus or None
        If one was asked for.
    output : Path or None
        File of the consensus.
    notes : tuple of str
        What to know about how the masks were read.
    """

    masks: Mapping[str, Path]
    agreement: Agreement
    consensus: Consensus | None = None
    output: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Many cases, compared.

    Parameters
    ----------
    cases : Mapping[str, Compared]
        By case id.
    failed : Mapping[str, str]
        Cases that could not be compared, and why.
    unmatched : tuple of str
        What had no partner, one line each.
    """

    cases: Mapping[str, Compared]
    failed: Mapping[str, str] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[str, ...]:
        """All readers, in the order in which they first occur."""
        return tuple(dict.fromkeys(one for case in self.cases.values() for one in case.masks))

    def mean_dice(self, region: str) -> NDArray[np.float64]:
        """Return the mean Dice (R, R) of each two readers over their common cases, NaN without."""
        place = {reader: index for index, reader in enumerate(self.readers)}
        total, count = np.zeros((2, len(place), len(place)))
        for case in self.cases.values():
            at = np.ix_(*[[place[reader] for reader in case.masks]] * 2)
            total[at] += case.agreement.dice[region]
            count[at] += 1
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

    def icc(self, region: str) -> tuple[float | None, int]:
        """Return ICC(2,1) of a region's volumes, and over how many cases that all have."""
        readers = self.readers
        full = [case for case in self.cases.values() if len(case.masks) == len(readers)]
        rows = [
            dict(zip(case.masks, case.agreement.volumes_ml[region], strict=True)) for case in full
        ]
        return icc([[row[reader] for reader in readers] for row in rows]), len(full)


def agree(
    masks: Mapping[str, Path],
    *,
    case_id: str = "case",
    labels: str | None = None,
    rule: str | None = None,
    output: Path | None = None,
) -> Compared:
    """Compare the masks of one case, and write a consensus if one is asked for.

    Parameters
    ----------
    masks : Mapping[str, Path]
        Reader to file; two at least, on one grid.
    case_id : str
        For the name of a consensus in a folder.
    labels : str, optional
        Label convention of masks that do not say theirs themselves.
    rule : str, optional
        Row of `CONSENSUS_RULES`.
    output : Path, optional
        File of the consensus, or an existing folder for a new file there.

    Returns
    -------
    Compared

    Raises
    ------
    BratsError
        If a mask cannot be read, they lie on different grids, or nothing can be written.
    """
    conventions, notes = _conventions(masks, labels)
    volumes = [
        Volume(*load_mask(path, conventions[reader]), path=path) for reader, path in masks.items()
    ]
    for other in volumes[1:]:
        require_same_grid(volumes[0], other)
    tissues = [volume.data for volume in volumes]
    found = agreement(tissues, voxel_ml(volumes[0].affine))
    if rule is None:
        return Compared(masks, found, notes=notes)
    joined = consensus(tissues, rule)
    written = None
    if output is not None:
        first = next(iter(conventions.values()))
        mask = Segmentation(
            case_id, joined.tissues, volumes[0].affine, first, volumes[0].path,
            tuple(masks.values()),
        )  # fmt: skip
        written = _save(mask, output, f"consensus-{rule}")
    return Compared(masks, found, joined, written, notes)


def agree_many(
    cases: Mapping[str, Mapping[str, Path]],
    *,
    labels: str | None = None,
    rule: str | None = None,
    output: Path | None = None,
    unmatched: tuple[str, ...] = (),
    on_step: Callable[[int, int], None] | None = None,
) -> Panel:
    """Compare the masks of many cases; one that cannot be compared costs no other.

    Parameters
    ----------
    cases : Mapping[str, Mapping[str, Path]]
        Case id to reader to mask, from `group_masks`.
    labels, rule : str, optional
        As `agree` takes them.
    output : Path, optional
        Folder for the consensus masks; made where it lacks.
    unmatched : tuple of str
        Passed on.
    on_step : callable, optional
        Called as ``on_step(done, total)`` after each case.

    Raises
    ------
    CaseError
        If no case can be compared.
    OutputError
        If the folder cannot be made.
    """
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot write into {str(output)!r}: {error.strerror}; give another folder with "
                "--output"
            ) from error
    done: dict[str, Compared] = {}
    failed: dict[str, str] = {}
    for number, (case, masks) in enumerate(cases.items(), 1):
        try:
            done[case] = agree(masks, case_id=case, labels=labels, rule=rule, output=output)
        except BratsError as error:
            failed[case] = str(error)
        if on_step is not None:
            on_step(number, len(cases))
    if not done:
        raise CaseError(f"no case could be compared; the first: {next(iter(failed.values()))}")
    return Panel(done, failed, unmatched)


def name_readers(paths: Sequence[Path]) -> dict[str, Path]:
    """Return single files by a name each: the file's, with its folder where two are the same.

    Raises
    ------
    CaseError
        If a file is named twice.
    """
    stems = [(split_extension(path.name) or (path.name, ""))[0] for path in paths]
    named: dict[str, Path] = {}
    for path, stem in zip(paths, stems, strict=True):
        name = stem if stems.count(stem) == 1 else f"{path.absolute().parent.name}/{stem}"
        if name in named:
            raise CaseError(f"{str(path)!r} is given twice; give each mask once")
        named[name] = path
    return named


def _conventions(
    masks: Mapping[str, Path], labels: str | None
) -> tuple[dict[str, LabelConvention], tuple[str, ...]]:
    """Return what each mask's codes mean; one that does not tell takes what the others say."""
    told = {reader: _told(path) for reader, path in masks.items()}
    known = list(dict.fromkeys(name for name in told.values() if name))
    silent = [reader for reader, name in told.items() if name is None]
    if silent and labels is None and len(known) != 1:
        raise LabelError(
            f"nothing tells what the codes of {str(masks[silent[0]])!r} mean; choose a label "
            f"convention with --labels: {', '.join(LABEL_CONVENTIONS)}"
        )
    given = labels or known[0]
    notes = tuple(
        f"{str(masks[reader])!r} does not tell its codes; read as {given!r} like the other masks"
        for reader in silent
        if labels is None
    )
    return {
        reader: label_convention(recorded_convention(masks[reader]) or labels or name or given)
        for reader, name in told.items()
    }, notes


def _told(path: Path) -> str | None:
    recorded = recorded_convention(path)
    if recorded is not None:
        return recorded
    row = naming_of(path)
    return None if row is None else row[0]


def _save(mask: Segmentation, output: Path, maker: str) -> Path:
    if not output.is_dir():
        return save_segmentation(mask, output)
    target = mask_path(mask.source, mask.case_id, maker, folder=output)
    return save_segmentation(mask, target, replace=False)
