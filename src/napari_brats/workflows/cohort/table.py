"""Read and write the table of a cohort: CSV for everybody, Parquet for programs."""

import csv
import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.volumes import write_bytes_atomic, write_text_atomic
from napari_brats.workflows.cohort.row import COLUMNS, NUMERIC, Row


def write_table(path: str | Path, rows: Sequence[Row]) -> Path:
    """Write rows as CSV, whole or not at all; the same rows give the same bytes.

    Parameters
    ----------
    path : str or Path
        The file.
    rows : sequence of Row
        One line each, in their order.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.cells() for row in rows)
    return write_text_atomic(path, text.getvalue())


def read_table(path: str | Path) -> list[Row]:
    """Return the rows of a table that `write_table` wrote.

    Parameters
    ----------
    path : str or Path
        The file, or the output folder it lies in.

    Raises
    ------
    CaseError
        If it cannot be read or is no such table.
    """
    path = Path(path)
    path = path / "cohort.csv" if path.is_dir() else path
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lines, columns = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CaseError(
            f"cannot read {str(path)!r}: {reason}; give the output folder of napari-brats cohort"
        ) from error
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise CaseError(
            f"{str(path)!r} has no column {', '.join(lacking[:3])}{', ...' * (len(lacking) > 3)}; "
            "give a table that napari-brats cohort wrote"
        )
    return [Row.from_cells(cells, f"{path}, line {n}") for n, cells in enumerate(lines, 2)]


def has_parquet() -> bool:
    """Return whether Parquet can be written here (extra ``cluster``)."""
    return find_spec("pyarrow") is not None


def write_parquet(path: str | Path, rows: Sequence[Row]) -> Path:
    """Write rows as Parquet, with the columns of the CSV; numbers are doubles.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(
        [(name, pa.float64() if name in NUMERIC else pa.string()) for name in COLUMNS]
    )
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([row.cells() for row in rows], schema), buffer)
    return write_bytes_atomic(path, buffer.getvalue())
