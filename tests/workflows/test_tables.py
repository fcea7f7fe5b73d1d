"""Tables of scores as text."""

import csv
import io
import math

import numpy as np
import pytest

from napari_brats.metrics.case_scores import LESION_COLUMNS, score_case
from napari_brats.metrics.table import METRICS
from napari_brats.metrics.tasks import TASKS
from napari_brats.workflows.tables import (
    LESION_HEADER,
    SCORE_HEADER,
    Cell,
    csv_text,
    lesion_cells,
    markdown_text,
    rounded,
    score_cells,
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "-"), (math.inf, "-"), (math.nan, "-"), (0.12345, "0.123"), (-9.9994, "-9.999"),
        (10.04, "10.0"), (373.0, "373.0"), (12, "12"), ("WT", "WT"),
    ],
)  # fmt: skip
def test_cells_for_reading(cell: Cell, text: str) -> None:
    """Three decimals below 10, one above, a dash for what does not exist, words as they are."""
    assert rounded(cell) == text


def test_csv_keeps_every_digit_and_markdown_is_aligned() -> None:
    """Commas are quoted, missing numbers are empty; columns of numbers stand right."""
    rows: list[list[Cell]] = [["a, b", 1 / 3, None], ["c", math.inf, 2]]
    assert csv_text(["n", "x", "y"], rows) == f'n,x,y\n"a, b",{1 / 3!r},\nc,,2\n'
    assert markdown_text(["n", "x", "y"], rows) == (
        "| n | x | y |\n| --- | ---: | ---: |\n| a, b | 0.333 | - |\n| c | - | 2 |\n"
    )


def test_no_row_is_still_a_table() -> None:
    """The header alone."""
    assert csv_text(["a"], []) == "a\n"
    assert markdown_text(["a"], []) == "| a |\n| --- |\n"


def test_rows_of_a_case() -> None:
    """One row a region with all metrics; one a lesion and rule, with a voxel inside of it."""
    prediction, reference = np.zeros((2, 12, 8, 6), np.uint8)
    reference[1:5, 1:5, 1:5] = prediction[2:5, 1:5, 1:5] = 3
    prediction[9, 6, 3] = 3
    scores = score_case(prediction, reference, (1, 1, 1), TASKS["MEN"])
    rows = score_cells("p", "MEN", scores)
    assert [row[:3] for row in rows] == [
        ["p", "MEN", name] for name in ("WT", "TC", "ET", "NETC", "SNFH")
    ]
    assert all(len(row) == len(SCORE_HEADER) == 3 + len(METRICS) for row in rows)
    text = csv_text(LESION_HEADER, lesion_cells("p", "MEN", scores))
    lesions = list(csv.DictReader(io.StringIO(text)))
    assert len(lesions) == 2 * 3 * 2
    assert set(lesions[0]) == {"case", "task", *LESION_COLUMNS}
    masks = {"matched": reference, "false positive": prediction}
    for row in lesions:
        place = tuple(int(row[axis]) for axis in "xyz")
        assert masks[row["status"]][place] == 3
    assert [row["volume_ml"] for row in lesions[:2]] == ["0.064", "0.001"]
