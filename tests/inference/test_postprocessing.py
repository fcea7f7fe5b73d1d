"""Logits of every kind of output become region probabilities and one nested map."""

import numpy as np
import pytest

from napari_brats.errors import CheckpointError
from napari_brats.inference.postprocessing import (
    region_probabilities,
    tissues_from_probabilities,
    without_traces,
)


def voxel(*values: float) -> np.ndarray:
    """Return (K, 1, 1, 1) float32."""
    return np.array(values, np.float32).reshape(-1, 1, 1, 1)


def test_regions_are_sigmoids() -> None:
    """Logit 0 is one half; log(3) is three quarters."""
    found = region_probabilities(voxel(0, np.log(3), -np.log(3)), "regions")
    np.testing.assert_allclose(found.ravel(), (0.5, 0.75, 0.25), rtol=1e-6)


def test_tissues_are_summed_by_region() -> None:
    """Softmax .4 .3 .2 .1 of background, NCR, ED, ET: WT .6, TC .4, ET .1."""
    found = region_probabilities(np.log(voxel(0.4, 0.3, 0.2, 0.1)), "tissues")
    np.testing.assert_allclose(found.ravel(), (0.6, 0.4, 0.1), rtol=1e-5)
    assert found.dtype == np.float32


def test_labels_give_the_likeliest_member() -> None:
    """Independent sigmoids .2 .7 .6 of NCR, ED, ET: WT .7, TC .6, ET .6."""
    odds = voxel(0.2, 0.7, 0.6)
    found = region_probabilities(np.log(odds / (1 - odds)), "labels")
    np.testing.assert_allclose(found.ravel(), (0.7, 0.6, 0.6), rtol=1e-5)


@pytest.mark.parametrize(("outputs", "channels"), [("regions", 4), ("tissues", 3), ("softmax", 4)])
def test_outputs_that_do_not_fit_are_refused(outputs: str, channels: int) -> None:
    """The message says what was found and what each kind has."""
    with pytest.raises(
        CheckpointError, match=rf"{channels} channels as '{outputs}'.*'regions' with 3"
    ):
        region_probabilities(np.zeros((channels, 1, 1, 1), np.float32), outputs)


def test_the_map_is_nested() -> None:
    """ET outside TC, and TC outside WT, is not drawn; the threshold itself is outside."""
    wt, tc, et = (0.9, 0.9, 0.9, 0.5, 0.1), (0.1, 0.9, 0.9, 0.9, 0.9), (0.9, 0.1, 0.9, 0.9, 0.9)
    probabilities = np.array([wt, tc, et], np.float32).reshape(3, 5, 1, 1)
    np.testing.assert_array_equal(
        tissues_from_probabilities(probabilities).ravel(), (2, 1, 3, 0, 0)
    )
    assert not tissues_from_probabilities(probabilities, threshold=0.95).any()


@pytest.mark.parametrize(
    ("least_ml", "codes", "gone"),
    [(0, (0, 1, 2, 3, 3), 0), (4, (0, 1, 2, 3, 3), 0), (4.1, (0, 1, 2, 1, 1), 4)],
)
def test_traces_of_enhancement(least_ml: float, codes: tuple[int, ...], gone: float) -> None:
    """Two voxels of 2 ml stay where 0 or 4 ml are asked for, and become necrosis where 4.1 are."""
    tissues = np.array([0, 1, 2, 3, 3], np.uint8).reshape(5, 1, 1)
    found, gone_ml = without_traces(tissues, 2.0, least_ml)
    assert tuple(found.ravel()) == codes
    assert gone_ml == gone
    assert found.dtype == np.uint8
    assert without_traces(np.zeros_like(tissues), 2.0, 5)[1] == 0
