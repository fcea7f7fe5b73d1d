"""What the tests of inference share: a tiny patient, and narrow networks with random weights."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow import narrow_options

from napari_brats.case import Case
from napari_brats.inference import runner
from napari_brats.inference.devices import resolve_device
from napari_brats.inference.predictor import Predictor
from napari_brats.networks.card import Card
from napari_brats.networks.registry import create_model
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.regions import LABEL_CONVENTIONS

sys.path.append(str(Path(__file__).parent))  # for `fake_engine`

OBLIQUE = np.array(
    [[0.0, -0.95, 0.3, 40], [0.9, 0.05, 0.1, -20], [0.1, -0.3, -1.9, 30], [0, 0, 0, 1]]
)


def _case(shape: tuple[int, int, int] = (26, 23, 11), **changes) -> Case:
    """Return a patient on an oblique, anisotropic grid."""
    rng = np.random.default_rng(0)
    grid = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    brain = sum(axis**2 for axis in grid) < 0.8
    images = {
        name: np.where(brain, rng.normal(500, 60, shape), 0).astype(np.float32)
        for name in ("t1", "t1ce", "t2", "flair")
    }
    fields = {
        "case_id": "P1",
        "naming": "brats2021",
        "convention": LABEL_CONVENTIONS["brats2017-2021"],
        "images": images,
        "affine": OBLIQUE,
        "reference": None,
        "image_paths": {name: Path(name) for name in images},
        "reference_path": None,
    }
    return Case(**{**fields, **changes})


def _predictor(
    name: str = "dresunet3d",
    outputs: str = "regions",
    *,
    recipe: str = "brain-1.5mm",
    seed: int = 0,
    **card_fields,
) -> Predictor:
    """Return a predictor with random weights, as after loading a checkpoint."""
    torch.manual_seed(seed)
    row = RECIPES[recipe]
    options = {
        **narrow_options(name),
        "in_channels": len(row.modalities),
        "out_channels": 3 if outputs != "tissues" else 4,
    }
    network = create_model(name, "lite", **options).eval()
    card = Card(name, name, "lite", row.name, row.modalities, outputs, options)
    card = replace(card, **card_fields)
    return Predictor(network, card, resolve_device("cpu", "float32"))


@pytest.fixture
def tiny_case():
    """Return what makes a patient."""
    return _case


@pytest.fixture
def tiny_predictor():
    """Return what makes a predictor; fields of the card can be given."""
    return _predictor


@pytest.fixture
def five_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a CPU take batches of five slices of 160 x 160."""
    monkeypatch.setitem(runner._BATCH_VOXELS, "cpu", 5 * 160**2)
