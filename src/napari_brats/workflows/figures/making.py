"""From files to a picture's file: what the command line and the window call."""

import os
from collections.abc import Sequence
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.training.curves import LOG_FOLDER, read_log
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.evaluate_folders import read_csv
from napari_brats.workflows.figures.canvas import FORMATS, save
from napari_brats.workflows.figures.options import Options
from napari_brats.workflows.figures.table import (
    ANIMATIONS,
    FIGURES,
    CohortFigure,
    PatientFigure,
    TrainingFigure,
)
from napari_brats.workflows.outputs import check_file, folder_beside
from napari_brats.workflows.subject import Subject, load_subject

_OUTPUT = "--output"


def make_patient_picture(
    row: PatientFigure,
    patient: Path,
    options: Options,
    *,
    masks: Sequence[Path] = (),
    reference: Path | None = None,
    labels: str | None = None,
    output: Path | None = None,
) -> Path:
    """Draw a row of `FIGURES` or `ANIMATIONS` and write it.

    Parameters
    ----------
    row : PatientFigure
        What to draw.
    patient : Path
        The patient's folder or one of its files.
    options : Options
        Choices.
    masks, reference, labels
        As `load_subject`.
    output : Path, optional
        The file; ``<case>_<mask>_<figure>.png`` or ``.gif`` beside the patient by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If the patient or a mask cannot be read, the figure needs a reference that is not
        there or shows one mask only, or nothing can be written there.
    """
    kinds = (".gif",) if row.name in ANIMATIONS else FORMATS
    if output is not None:
        check_file(output, kinds, _OUTPUT)
    if len(masks) > 1 and not row.several:
        several = [one.name for one in _patient_rows() if one.several]
        raise CaseError(
            f"{row.name!r} shows one mask, {len(masks)} were given; give one --mask, or choose "
            f"one of {', '.join(several)}"
        )
    subject = load_subject(patient, masks, reference=reference, labels=labels)
    return draw_picture(row, subject, folder_beside(patient), options, output=output)


def draw_picture(
    row: PatientFigure,
    subject: Subject,
    folder: Path,
    options: Options,
    *,
    output: Path | None = None,
) -> Path:
    """Draw a row of `FIGURES` or `ANIMATIONS` of what was read already, and write it.

    Parameters
    ----------
    row, options, output
        As of `make_patient_picture`.
    subject : Subject
        The patient and masks.
    folder : Path
        Where the file goes if ``output`` names none.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If the figure needs a reference that is not there, or nothing can be written there.
    """
    if row.reference and subject.case.reference is None:
        raise CaseError(
            f"{row.name!r} compares with a reference mask, which {subject.case.case_id!r} does "
            "not have; give one with --reference"
        )
    if output is None:
        kinds = (".gif",) if row.name in ANIMATIONS else FORMATS
        title = subject.title.replace(os.sep, "-").replace("/", "-")
        name = f"{subject.case.case_id}_{title}_{row.name}{kinds[0]}"
        output = folder / name
        check_file(output, kinds, _OUTPUT)
    drawn = row.draw(subject, options)
    return write_bytes_atomic(output, drawn) if isinstance(drawn, bytes) else save(drawn, output)


def make_cohort_figure(
    row: CohortFigure, tables: Sequence[Path], options: Options, *, output: Path | None = None
) -> Path:
    """Draw a row of `FIGURES` from tables of scores, one for each method, and write it.

    Parameters
    ----------
    row : CohortFigure
        What to draw.
    tables : sequence of Path
        As ``evaluate --csv`` writes them; the file's name is the method's.
    options : Options
        Choices.
    output : Path, optional
        The file; ``<table>_<figure>.png`` beside the first table by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If a table cannot be read, or nothing can be written there.
    """
    first = tables[0]
    output = output or first.with_name(f"{first.stem}_{row.name}{FORMATS[0]}")
    check_file(output, FORMATS, _OUTPUT)
    stems = [path.stem for path in tables]
    names = [
        path.stem if stems.count(path.stem) == 1 else str(path.with_suffix("")) for path in tables
    ]
    methods = {name: read_csv(path) for name, path in zip(names, tables, strict=True)}
    return save(row.draw(methods, options), output)


def make_training_figure(row: TrainingFigure, folder: Path, *, output: Path | None = None) -> Path:
    """Draw a row of `FIGURES` from a training's log and write it.

    Parameters
    ----------
    row : TrainingFigure
        What to draw.
    folder : Path
        What ``train --output`` named.
    output : Path, optional
        The file; ``<folder>/<figure>.png`` by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    BratsError
        If there is no log, or nothing can be written there.
    """
    output = output or folder / f"{row.name}{FORMATS[0]}"
    curves = read_log(folder / LOG_FOLDER)
    if not curves:
        raise CaseError(
            f"{str(folder)!r} holds no log of a training in {LOG_FOLDER!r}; give the folder that "
            "napari-brats train --output named"
        )
    check_file(output, FORMATS, _OUTPUT)
    return save(row.draw(curves), output)


def _patient_rows() -> list[PatientFigure]:
    rows = [*FIGURES.values(), *ANIMATIONS.values()]
    return [row for row in rows if isinstance(row, PatientFigure)]
