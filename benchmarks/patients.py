"""Small made-up patients and a small network for the benchmarks of cohorts."""

from pathlib import Path

import numpy as np
import torch

from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import save_checkpoint
from napari_brats.networks.registry import create_model
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.volumes import write_image

MODALITIES = ("t1", "t1ce", "t2", "flair")


def make_patients(root: Path, count: int, side: int) -> Path:
    """Write ``count`` patients of side^3 voxels: noise in a ball.

    They have no reference: scoring the scattered mask of a random network takes longer than
    anything that happens to a real patient.
    """
    grid = np.meshgrid(*[np.linspace(-1, 1, side)] * 3, indexing="ij")
    away = sum(axis**2 for axis in grid)
    for number in range(1, count + 1):
        rng = np.random.default_rng(number)
        case = f"BraTS2021_{number:05}"
        for name in MODALITIES:
            image = np.where(away < 0.8, rng.normal(500, 60, away.shape), 0).astype(np.int16)
            write_image(root / case / f"{case}_{name}.nii.gz", image, np.eye(4))
    return root


def make_model(folder: Path, width: int) -> Path:
    """Write a plain 3D U-Net with random weights; the width sets how long it takes."""
    recipe = RECIPES["brain-1mm"]
    options = {"width": width, "in_channels": len(recipe.modalities)}
    torch.manual_seed(0)
    card = Card("bench", "unet3d", "lite", recipe.name, recipe.modalities, "regions", options)
    path = folder / "bench.safetensors"
    save_checkpoint(create_model("unet3d", "lite", **options), card, path)
    return path


def write_block(document: Path, name: str, text: str) -> None:
    """Put what was measured between its marks in a page."""
    start, end = f"<!-- measured: {name} -->\n", "<!-- end measured -->"
    page = document.read_text(encoding="utf-8")
    before, _, rest = page.partition(start)
    _, _, after = rest.partition(end)
    document.write_text(f"{before}{start}{text.strip()}\n{end}{after}", encoding="utf-8")
