import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.errors import TrainingError
from napari_brats.inference.postprocessing import region_probabilities
from napari_brats.networks.card import OUTPUTS
from napari_brats.regions import tissues_from_regions
from napari_brats.training.targets import targets_for


def test_targets_by_hand():
    """Background, ED, NCR, ET, and TC and ET outside WT, which are background too."""
    regions = torch.tensor([[[0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]]]).float()
    assert targets_for(regions, "regions") is regions
    assert targets_for(regions, "tissues").tolist() == [[0, 2, 1, 3, 0]]
    assert targets_for(regions, "labels").tolist() == [
        [[0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]]
    ]


def test_no_tumor():
    """Empty case: all background, no label anywhere, in the types that losses take."""
    regions = torch.zeros(2, 3, 4, 4, 4)
    tissues, labels = targets_for(regions, "tissues"), targets_for(regions, "labels")
    assert (tissues.shape, tissues.dtype) == ((2, 4, 4, 4), torch.int64)
    assert (labels.shape, labels.dtype) == ((2, 3, 4, 4, 4), torch.float32)
    assert not tissues.any()
    assert not labels.any()


@settings(max_examples=30)
@given(arrays(np.bool_, (3, 2, 2, 2)))
def test_tissues_follow_the_rule_of_nested_regions(regions):
    """The same codes as the masks that people see are made with."""
    expected = tissues_from_regions(regions)
    found = targets_for(torch.from_numpy(regions)[None].float(), "tissues")[0]
    np.testing.assert_array_equal(found.numpy(), expected)


@settings(max_examples=30)
@given(arrays(np.uint8, (2, 2, 2), elements=st.integers(0, 3)), st.sampled_from(list(OUTPUTS)))
def test_a_network_that_gives_its_target_gives_the_regions(depth, outputs):
    """What training asks for and what inference reads from the channels are the same."""
    regions = np.stack([depth > n for n in range(3)]).astype(np.float32)
    target = targets_for(torch.from_numpy(regions)[None], outputs)
    if outputs == "tissues":
        target = torch.nn.functional.one_hot(target, 4).movedim(-1, 1)
    logits = 40 * (target[0].float().numpy() - 0.5)
    np.testing.assert_allclose(region_probabilities(logits, outputs), regions, atol=1e-6)


def test_unknown_outputs():
    """The kinds that there are are named."""
    with pytest.raises(TrainingError, match="regions, tissues, labels"):
        targets_for(torch.zeros(1, 3, 2, 2), "boxes")
