"""What the tests of cohorts share: tiny patients and a tiny network with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.networks.card import Card
from napari_brats.preprocessing.recipes import RECIPES

MakePatient = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a tiny untrained network, which is done in milliseconds."""
    import torch

    from napari_brats.networks.checkpoint import save_checkpoint
    from napari_brats.networks.registry import create_model

    recipe = RECIPES["brain-2mm"]
    options = {"width": 1}
    torch.manual_seed(0)
    network = create_model("unet3d", "lite", **options, in_channels=len(recipe.modalities))
    card = Card(
        "tiny", "unet3d", "lite", recipe.name, recipe.modalities, "regions",
        {**options, "in_channels": len(recipe.modalities)},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(network, card, path)
    return path


@pytest.fixture
def make_patients(make_patient_folder: MakePatient) -> Callable[[Path, int], Path]:
    """Return a function that makes a folder of ``P-01``, ``P-02`` ... of different content."""

    def make(root: Path, count: int) -> Path:
        for number in range(1, count + 1):
            make_patient_folder(
                root, case_id=f"BraTS2021_{number:05}", shape=(16, 18, 14), seed=10 * number
            )
        return root

    return make
