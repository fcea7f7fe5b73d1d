"""Tables of scores as text: CSV for programs, Markdown for people."""

import csv
import io
import math
from collections.abc import Sequence

from napari_brats.metrics.case_scores import LESION_COLUMNS, CaseScores
from napari_brats.metrics.table import METRICS

Cell = str | int | float | None

SCORE_HEADER = ("case", "task", "region", *METRICS)
LESION_HEADER = ("case", "task", *LESION_COLUMNS)


def score_cells(case: str, task: str, scores: CaseScores) -> list[list[Cell]]:
    """Return one row of `SCORE_HEADER` for each region of a case."""
    return [
        [case, task, region, *(values[name] for name in METRICS)]
        for region, values in scores.rows().items()
    ]


def lesion_cells(case: str, task: str, scores: CaseScores) -> list[list[Cell]]:
    """Return one row of `LESION_HEADER` for each lesion of a case by each rule."""
    return [[case, task, *(row[name] for name in LESION_COLUMNS)] for row in scores.lesion_rows()]


def csv_text(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table as CSV: every digit, an empty cell where there is no number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_exact(cell) for cell in row] for row in rows)
    return text.getvalue()


def markdown_text(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table as Markdown: numbers as `rounded`, right-aligned."""
    body = [[rounded(cell) for cell in row] for row in rows]
    numeric = {
        column for row in rows for column, cell in enumerate(row) if isinstance(cell, int | float)
    }
    rule = ["---:" if column in numeric else "---" for column in range(len(header))]
    return "".join(f"| {' | '.join(line)} |\n" for line in (header, rule, *body))


def rounded(cell: Cell) -> str:
    """Return a cell for reading: three decimals below 10, one from there on, a dash for none."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.3f}" if abs(cell) < 10 else f"{cell:.1f}"


def _exact(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    return repr(float(cell)) if isinstance(cell, float) else str(cell)
