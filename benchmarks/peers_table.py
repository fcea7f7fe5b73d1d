"""The table of `compare_peers.py`: one row a way, one column a figure."""

from collections.abc import Callable
from dataclasses import dataclass

from peers import WAYS


@dataclass(frozen=True)
class Row:
    """What one way took for one network.

    ``first_s`` is its first run, ``seconds`` the median of the other ``runs``; ``faster`` how
    many times as fast it was as MONAI in float32, ``faster_than_autocast`` as MONAI in
    bfloat16; ``of_peak`` and ``of_copy`` what it reached of the best matrix product and of the
    best copy; ``changed`` the share of voxels whose label differs from plain PyTorch's in
    float32. What was not run is None.
    """

    model: str
    way: str
    first_s: float
    seconds: float
    runs: int
    faster: float | None
    faster_than_autocast: float | None
    peak_gb: float
    tflops: float
    of_peak: float
    of_copy: float
    changed: float | None


@dataclass(frozen=True)
class Column:
    """A figure of the table, and the devices whose table has it."""

    title: str
    text: Callable[[Row], str]
    kinds: tuple[str, ...] = ("cpu", "cuda")


COLUMNS = (
    Column("network", lambda row: f"`{row.model}`"),
    Column("way", lambda row: WAYS[row.way].title),
    Column("median s", lambda row: f"{row.seconds:.2f}", ("cpu",)),
    Column("median ms", lambda row: f"{1000 * row.seconds:.1f}", ("cuda",)),
    Column("times MONAI float32", lambda row: _or_dash(row.faster, ".1f")),
    Column(
        "times MONAI bfloat16", lambda row: _or_dash(row.faster_than_autocast, ".1f"), ("cuda",)
    ),
    Column("runs", lambda row: str(row.runs)),
    Column("first s", lambda row: f"{row.first_s:.1f}"),
    Column("peak GB", lambda row: f"{row.peak_gb:.1f}"),
    Column("TFLOP/s", lambda row: f"{row.tflops:.3f}", ("cpu",)),
    Column("TFLOP/s", lambda row: f"{row.tflops:.1f}", ("cuda",)),
    Column("of the matrix peak", lambda row: f"{row.of_peak:.0%}"),
    Column("of the copy peak", lambda row: f"{row.of_copy:.0%}", ("cuda",)),
    Column("labels changed", lambda row: _or_dash(row.changed, ".2%")),
)


def lines_of(rows: list[Row], kind: str) -> list[str]:
    """Return the lines of a Markdown table for a kind of device; two of them are its head."""
    columns = [column for column in COLUMNS if kind in column.kinds]
    cells = [
        [column.title for column in columns],
        ["---"] * len(columns),
        *([column.text(row) for column in columns] for row in rows),
    ]
    return [f"| {' | '.join(line)} |" for line in cells]


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
