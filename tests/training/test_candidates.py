import pytest
import torch

from napari_brats.training.candidates import (
    SHARES,
    USUAL_SHARE,
    blended,
    least_enough,
    shares_in_time,
)


@pytest.mark.parametrize(
    ("gains", "share"),
    [
        ({0.5: 0.02}, 0.5),
        ({0.25: 0.04, 0.5: 0.04, 1.0: 0.04}, 0.25),
        ({0.25: 0.02, 0.5: 0.03, 1.0: 0.04}, 0.5),
        ({0.25: 0.01, 0.5: 0.02, 1.0: 0.04}, 1.0),
        ({0.25: 0.04, 0.5: -0.01, 1.0: -0.2}, 0.25),
        ({0.25: -0.01, 0.5: -0.02, 1.0: -0.03}, 0.25),
        ({0.25: -0.03, 0.5: -0.02, 1.0: -0.01}, 1.0),
        ({0.25: 0.0, 0.5: 0.0}, 0.25),
    ],
)
def test_the_least_change_that_brings_most_of_the_gain(gains, share):
    """Three quarters of the best gain are enough; where all lose, who loses least."""
    assert least_enough(gains) == share


def test_comparing_takes_no_longer_than_learning():
    """Two held-back cases and a sample, 10 s each: 70 s with all shares."""
    assert shares_in_time(140, 3, 2, 10) == SHARES
    assert shares_in_time(139, 3, 2, 10) == (USUAL_SHARE,)


def test_weights_between_two_networks():
    """A quarter of the way, by hand; counters stay the old network's."""
    old, new = (torch.nn.BatchNorm1d(2) for _ in "12")
    new.weight.data.fill_(5.0)
    new.num_batches_tracked += 7
    between = blended(old, new, 0.25)
    assert between.weight.tolist() == [2.0, 2.0]
    assert between.num_batches_tracked == 0
    assert old.weight.tolist() == [1.0, 1.0]
