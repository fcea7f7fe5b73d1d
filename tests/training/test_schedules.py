import pytest

from napari_brats.training.schedules import SCHEDULES, Moment


def factor(name, step=0, epoch=0, fraction=0.0):
    return SCHEDULES[name].factor(Moment(step, epoch, fraction))


def test_constant_is_one_throughout():
    """Neither steps nor epochs change it."""
    assert {factor("constant", 10 * n, n, n / 10) for n in range(11)} == {1.0}


def test_one_cycle_by_hand():
    """Half-way up, at the peak, half-way down the cosine (1 + .01) / 2, at the end."""
    found = [factor("one-cycle", fraction=f) for f in (0.025, 0.05, 0.525, 1.0)]
    assert found == pytest.approx([0.5, 1.0, 0.505, 0.01])


def test_a_tenth_an_epoch_by_hand():
    """The first epoch starts at a tenth; at step 2000 of the third the decay is 5e-3 a step."""
    assert factor("tenth-an-epoch") == pytest.approx(0.1)
    assert factor("tenth-an-epoch", step=1000) == pytest.approx(0.1 / (1 + 5e-5 * 1000))
    assert factor("tenth-an-epoch", step=2000, epoch=2) == pytest.approx(1e-3 / (1 + 10))


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_is_never_zero_nor_above_the_peak(name):
    """All moments of a training of 5 epochs, 100 steps each."""
    rates = [factor(name, step, step // 100, step / 500) for step in range(501)]
    assert min(rates) > 0
    assert max(rates) <= 1
