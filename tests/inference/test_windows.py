"""Windows cover the volume, overlap as asked, and their weights add up to one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.inference.windows import axis_weights, plan_windows, round_up


def total_weight(plan) -> np.ndarray:
    """Return the sum of all windows' weights on the padded volume."""
    total = np.zeros(plan.padded)
    for window in plan:
        x, y, z = window.weights
        total[window.region] += x[:, None, None] * y[:, None] * z
    return total


def test_a_whole_volume_is_one_window_padded_to_the_multiple() -> None:
    """141 x 178 x 140 becomes 144 x 192 x 144 for multiples of 16, with weights of 1."""
    plan = plan_windows((141, 178, 140), None, multiple=16, ndim=3)
    assert plan.padded == plan.window == (144, 192, 144)
    (window,) = plan
    assert all((line == 1).all() for line in window.weights)


def test_slices_are_cut_along_z_whole() -> None:
    """20 x 17 x 3 gives three windows of 24 x 24 x 1 for multiples of 8; Z is not padded."""
    plan = plan_windows((20, 17, 3), None, multiple=8, ndim=2, overlap=0.5)
    assert plan.padded == (24, 24, 3)
    assert plan.window == (24, 24, 1)
    assert [window.region[2] for window in plan] == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_starts_are_spread_evenly() -> None:
    """Windows of 4 over 10 voxels with half overlap begin at 0, 2, 4, 6."""
    plan = plan_windows((10, 4, 4), 4, multiple=1, ndim=3, overlap=0.5)
    assert plan.starts == ((0, 2, 4, 6), (0,), (0,))
    assert len(plan) == 4


def test_weights_are_gaussian_and_normalized() -> None:
    """Two windows of 3 over 5 voxels share one voxel equally; elsewhere a window has all."""
    np.testing.assert_allclose(axis_weights(5, 3, (0, 2)), [[1, 1, 0.5], [0.5, 1, 1]])


@settings(max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 20)] * 3),
    window=st.one_of(st.none(), st.integers(1, 24)),
    multiple=st.sampled_from((1, 2, 4)),
    ndim=st.sampled_from((2, 3)),
    overlap=st.floats(0, 0.8),
)
def test_windows_cover_every_voxel_with_weights_that_add_up_to_one(
    shape: tuple[int, int, int], window: int | None, multiple: int, ndim: int, overlap: float
) -> None:
    """Any shape, window, multiple and overlap: sizes fit and nothing is missed or doubled."""
    plan = plan_windows(shape, window, multiple=multiple, ndim=ndim, overlap=overlap)
    spatial = plan.window[:ndim]
    assert all(side % multiple == 0 for side in spatial)
    assert all(old <= new < old + multiple for old, new in zip(shape, plan.padded, strict=True))
    assert len(list(plan)) == len(plan)
    np.testing.assert_allclose(total_weight(plan), 1, atol=1e-5)


@pytest.mark.parametrize(("window", "overlap"), [(0, 0.5), (8, 1.0), (8, -0.1)])
def test_impossible_windows_are_refused(window: int, overlap: float) -> None:
    """A programmer's mistake is a ValueError that quotes the value."""
    with pytest.raises(ValueError, match="must be at least"):
        plan_windows((8, 8, 8), window, multiple=1, ndim=3, overlap=overlap)


def test_rounding_up() -> None:
    """The smallest multiple that is at least the size."""
    assert [round_up(size, 16) for size in (1, 16, 17)] == [16, 16, 32]
