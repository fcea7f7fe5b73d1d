"""Intensity steps: the published formulas, on values computed by hand."""

import numpy as np
import pytest

from napari_brats.preprocessing.intensity import ByteRange, MinMax, SlicePercentiles, ZScore
from napari_brats.preprocessing.ways import Step

EVERY_STEP = [ZScore(), ZScore(clip=None), MinMax(), MinMax(True), ByteRange(), SlicePercentiles()]


def column(*values: float) -> np.ndarray:
    """Return one modality of one axial slice, (1, n, 1, 1)."""
    return np.array(values, np.float32).reshape(1, -1, 1, 1)


def apply(step: Step, volume: np.ndarray) -> np.ndarray:
    """Return the changed volume and check that no voxel moved."""
    before = volume.copy()
    out, affine, way = step.apply(volume, np.eye(4))
    np.testing.assert_array_equal(volume, before)
    np.testing.assert_array_equal(affine, np.eye(4))
    assert way.back(out) is out
    assert out.dtype == np.float32
    return out


@pytest.mark.parametrize("step", EVERY_STEP)
def test_an_empty_volume_stays_finite_and_constant(step: Step) -> None:
    """All zero in, all zero out."""
    assert not apply(step, np.zeros((2, 3, 4, 5), np.float32)).any()


@pytest.mark.parametrize("step", EVERY_STEP)
def test_a_constant_brain_stays_finite(step: Step) -> None:
    """No spread is no division by zero."""
    volume = np.zeros((1, 4, 4, 2), np.float32)
    volume[:, 1:3, 1:3] = 100
    assert np.isfinite(apply(step, volume)).all()


def test_z_score_sees_the_brain_only_and_clips() -> None:
    """Mean 3 and SD sqrt(2) of 1..5; zeros stay 0; +-1 SD when clipped there."""
    volume = column(0, 1, 2, 3, 4, 5)
    expected = np.array([0, -2, -1, 0, 1, 2]) / np.sqrt(2)
    np.testing.assert_allclose(apply(ZScore(clip=None), volume).ravel(), expected, atol=1e-6)
    clipped = apply(ZScore((-1, 1)), volume).ravel()
    np.testing.assert_allclose(clipped, expected.clip(-1, 1), atol=1e-6)


def test_min_max_of_the_volume_spans_0_to_1() -> None:
    """2, 4, 6 over two slices become 0, 0.5, 1."""
    volume = np.array([2, 4, 6, 2], np.float32).reshape(1, 2, 1, 2)
    np.testing.assert_allclose(apply(MinMax(), volume).ravel(), (0, 0.5, 1, 0))


def test_min_max_of_slices_spans_0_to_1_in_each() -> None:
    """Every axial slice that is not constant has minimum 0 and maximum 1, each modality."""
    volume = np.random.default_rng(0).random((2, 5, 4, 6), dtype=np.float32) * 900
    volume[:, :, :, 3] = 7
    out = apply(MinMax(per_slice=True), volume)
    varied = np.delete(out, 3, axis=3)
    np.testing.assert_array_equal(varied.min(axis=(1, 2)), 0)
    np.testing.assert_array_equal(varied.max(axis=(1, 2)), 1)
    assert not out[..., 3].any()


def test_byte_range_puts_the_mean_at_127() -> None:
    """Mean -> 127, background 0, 3 SD to the ends, everything in whole steps of 1/255."""
    rng = np.random.default_rng(0)
    values = rng.normal(1000, 50, 999).astype(np.float32)
    volume = column(*values, float(values.mean(dtype=np.float64)), 0, 2000, 1)
    brain = volume[volume > 0].astype(np.float64)
    volume[0, 999] = brain.mean()
    levels = apply(ByteRange(), volume).ravel() * 255
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
    assert np.round(levels[999]) in (126, 127)  # float32 may fall just below the mean
    assert np.round(levels[1000]) == 0
    assert np.round(levels[1001]) == 255
    assert np.round(levels[1002]) == 0


def test_byte_range_truncates() -> None:
    """1..5 have mean 3, SD sqrt(2): v = (v - 3) / (3 sqrt(2) / 128) + 127, cut to whole."""
    levels = apply(ByteRange(), column(1, 2, 3, 4, 5)).ravel() * 255
    np.testing.assert_allclose(levels, (66, 96, 127, 157, 187), atol=1e-4)


def test_slice_percentiles_put_background_at_minus_9() -> None:
    """The slice's minimum becomes -9; the rest is z-scored over what is not zero."""
    rng = np.random.default_rng(0)
    volume = np.zeros((1, 20, 20, 2), np.float32)
    volume[0, 5:15, 5:15, 0] = rng.normal(500, 30, (10, 10))
    out = apply(SlicePercentiles(), volume)
    outside = volume[..., 0] == 0
    np.testing.assert_array_equal(out[..., 0][outside], -9)
    brain = out[..., 0][~outside]
    assert abs(brain.mean()) < 1e-4
    assert abs(brain.std() - 1) < 1e-4
    assert not out[..., 1].any()  # an empty slice is left as it is


def test_slice_percentiles_clip_first() -> None:
    """A bright outlier is cut to the 99th percentile of the whole slice, zeros included."""
    volume = np.zeros((1, 100, 1, 1), np.float32)
    volume[0, 50:, 0, 0] = np.arange(1, 51)
    volume[0, 99, 0, 0] = 10_000
    out = apply(SlicePercentiles(), volume)[0, 50:, 0, 0]
    low, high = np.percentile(volume, (1, 99)).astype(np.float32)
    clipped = volume[0, 50:, 0, 0].clip(low, high)
    np.testing.assert_allclose(out, (clipped - clipped.mean()) / clipped.std(), rtol=1e-5)
