"""The table of a cohort: what goes in comes out."""

import csv
import io
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_brats.errors import CaseError
from napari_brats.workflows.cohort.layout import Layout, label_of
from napari_brats.workflows.cohort.row import COLUMNS, NUMERIC, Row, State
from napari_brats.workflows.cohort.table import (
    has_parquet,
    read_table,
    write_parquet,
    write_table,
)

NUMBER = st.floats(0, 1e6)
REGION = st.dictionaries(st.sampled_from(("WT", "TC", "ET")), NUMBER)
LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
ROWS = st.builds(
    Row,
    **{one.name: LINE for one in fields(Row)}
    | dict.fromkeys(("volume_ml", "dice", "hd95_mm", "unsure_ml"), REGION)
    | {name: st.none() | NUMBER for name in ("unnested_ml", "seconds")}
    | {"state": st.sampled_from(State)}
    | {"warnings": st.lists(LINE.filter(bool), max_size=3).map(tuple)},
)


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    """No rows: only the columns, and no rows come back."""
    path = write_table(tmp_path / "cohort.csv", [])
    assert path.read_text().strip() == ",".join(COLUMNS)
    assert read_table(tmp_path) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(rows=st.lists(ROWS, max_size=3))
def test_what_is_written_is_read(tmp_path: Path, rows: list[Row]) -> None:
    """Any row, commas, quotes and several warnings among it, survives the table."""
    assert read_table(write_table(tmp_path / "t.csv", rows)) == rows


def test_a_hand_made_row(tmp_path: Path) -> None:
    """Regions have a column each; what is unknown is an empty cell."""
    row = Row("P1", "m", State.DONE, volume_ml={"WT": 2.5}, warnings=("a", "b, c"))
    path = write_table(tmp_path / "t.csv", [row])
    (cells,) = csv.DictReader(io.StringIO(path.read_text()))
    assert cells["volume_ml_WT"] == "2.5"
    assert cells["volume_ml_TC"] == cells["dice_WT"] == cells["seconds"] == ""
    assert cells["warnings"] == "a\nb, c"


@pytest.mark.parametrize("text", ["patient,model\nP1,m\n", "a\x00b", "patient\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """A table of something else is named, not misread."""
    (tmp_path / "t.csv").write_text(text + "x\n")
    with pytest.raises(CaseError, match="napari-brats cohort"):
        read_table(tmp_path / "t.csv")


@pytest.mark.slow
@pytest.mark.skipif(not has_parquet(), reason="needs pyarrow (extra cluster)")
def test_parquet_holds_the_same(tmp_path: Path) -> None:
    """The same columns, numbers as numbers."""
    from pyarrow import parquet

    row = Row("P1", "m", State.FAILED, reason="no T2", dice={"ET": 0.5}, seconds=1.0)
    table = parquet.read_table(write_parquet(tmp_path / "t.parquet", [row]))
    assert tuple(table.column_names) == COLUMNS
    (cells,) = table.to_pylist()
    assert Row.from_cells(cells, "t") == row
    assert all(str(table.schema.field(name).type) == "double" for name in NUMERIC)


def test_the_layout_is_bids_like(tmp_path: Path) -> None:
    """One folder a patient, named by the letters and digits of its id."""
    layout = Layout(tmp_path)
    mask = layout.mask("BraTS-GLI-00005-000", "a+b/c", Path("x_t1.nii.gz"))
    assert layout.relative(mask) == "sub-BraTSGLI00005000/BraTS-GLI-00005-000_a+b-c_mask.nii.gz"
    assert layout.mask("P", "m", Path("x.mha")).name == "P_m_mask.mha"
    assert label_of("a_b-1") == "ab1"
