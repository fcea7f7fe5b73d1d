"""Smooth random fields."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.synthesis.fields import fractal_noise, smooth_noise, spline_weights


@settings(max_examples=20)
@given(size=st.integers(1, 60), step=st.floats(1, 30))
def test_weights_have_unit_energy(size: int, step: float) -> None:
    """Every voxel gets variance 1 from unit-variance knots."""
    np.testing.assert_allclose((spline_weights(size, step) ** 2).sum(1), 1)


@pytest.mark.parametrize("length", [1.0, 8.0, 200.0])
def test_field_has_the_grid_and_unit_variance(length: float) -> None:
    """Shape as asked for; mean 0 and variance 1 over many fields."""
    rng = np.random.default_rng(1)
    values = [smooth_noise(rng, (5, 6, 7), (2.0, 1.0, 3.0), length)[2, 3, 3] for _ in range(800)]
    assert smooth_noise(rng, (5, 6, 7), (2.0, 1.0, 3.0), length).shape == (5, 6, 7)
    assert abs(np.mean(values)) < 0.15
    assert 0.85 < np.std(values) < 1.15


def test_longer_fields_are_smoother() -> None:
    """The step from voxel to voxel shrinks with the length."""
    rng = np.random.default_rng(2)
    short, long = (smooth_noise(rng, (30, 30, 30), (1, 1, 1), mm) for mm in (4.0, 20.0))
    assert np.abs(np.diff(long)).mean() < 0.5 * np.abs(np.diff(short)).mean()


def test_fractal_noise_keeps_unit_variance() -> None:
    """Octaves are weighted so that their sum has variance 1."""
    rng = np.random.default_rng(3)
    values = [fractal_noise(rng, (4, 4, 4), (1, 1, 1), 16.0)[1, 2, 3] for _ in range(800)]
    assert 0.85 < np.std(values) < 1.15
