"""Ways join in order, and keep their notes."""

import numpy as np

from napari_brats.preprocessing.ways import Way, chain


def test_an_empty_chain_changes_nothing() -> None:
    """No steps: there and back give the array itself."""
    array = np.ones((1, 2, 2, 2), np.float32)
    way = chain([])
    assert way.there(array) is array
    assert way.back(array) is array


def test_a_chain_goes_there_in_order_and_back_in_reverse() -> None:
    """The last step is undone first; notes are collected in order."""
    double = Way(lambda a: a * 2, lambda a: a / 2, ("doubled",))
    add = Way(lambda a: a + 1, lambda a: a - 1, ("raised",))
    way = chain([double, add])
    array = np.full((1, 1, 1, 1), 3, np.float32)
    assert way.there(array).item() == 7
    assert way.back(way.there(array)).item() == 3
    assert way.notes == ("doubled", "raised")
