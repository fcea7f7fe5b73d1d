"""METRICS says of every number what it is."""

import pytest

from napari_brats.metrics.table import HIGH, LOW, METRICS, NONE, ZERO, Metric


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_row_is_whole(metric: Metric) -> None:
    """Name, unit, direction, formula and source are there; the name tells the unit."""
    assert metric.better in (HIGH, LOW, ZERO, NONE)
    assert metric.formula
    assert metric.source
    assert metric.unit == {"mm": "mm", "ml": "ml"}.get(metric.name.rpartition("_")[2], "1")


def test_less_loss_is_better() -> None:
    """What wins follows from the direction."""
    assert METRICS["dice"].loss(0.9) < METRICS["dice"].loss(0.8)
    assert METRICS["hd95_mm"].loss(2) < METRICS["hd95_mm"].loss(3)
    difference = METRICS["volume_difference_ml"]
    assert difference.loss(-1) == difference.loss(1) < difference.loss(-2)
    assert METRICS["volume_ml"].loss(5) == METRICS["volume_ml"].loss(9)
