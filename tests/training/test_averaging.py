import pytest
import torch

from napari_brats.training.averaging import MovingAverage


def test_the_average_follows_constant_weights():
    """The running average of weights that do not move is those weights; counters are copied."""
    average, counter = torch.zeros(2), torch.tensor(0)
    for update in range(1, 200):
        MovingAverage(0.9)([average, counter], [torch.full((2,), 3.0), torch.tensor(7)], update)
    torch.testing.assert_close(average, torch.full((2,), 3.0))
    assert counter == 7


@pytest.mark.parametrize(("updates", "decay"), [(1, 2 / 11), (8, 0.5), (10**6, 0.9)])
def test_the_decay_grows_to_its_limit(updates, decay):
    """(1 + n) / (10 + n), by hand, and never over the limit."""
    average = torch.ones(1)
    MovingAverage(0.9)([average], [torch.zeros(1)], updates)
    assert average.item() == pytest.approx(decay)
