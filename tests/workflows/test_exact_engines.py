"""Every engine and precision gives the masks of PyTorch in float32, on real patients."""

import numpy as np
import pytest

from napari_brats.case import Case, load_case
from napari_brats.inference import Predictor
from napari_brats.networks.catalog import bundled_models
from napari_brats.regions import REGIONS, region_mask

PATIENTS = ("BraTS2021_00000", "BraTS2021_01479")
TIES = 0.9995
"""Least Dice in float32, where the order of sums decides ties."""
LEAST_MEAN, LEAST = 0.998, 0.99
"""In bfloat16: over patients and regions, and in the worst of them."""
DRIFT = 0.002
"""Most that bfloat16 moves the mean Dice against the reference."""

pytestmark = [pytest.mark.slow, pytest.mark.real_data]


@pytest.fixture(scope="module")
def cases(real_data_dir) -> list[Case]:
    """Return real patients with a reference."""
    return [load_case(real_data_dir / "train" / name) for name in PATIENTS]


def masks(model: str, engine: str, precision: str, cases: list[Case]) -> np.ndarray:
    """Return all regions of all patients, flat, (patients, 3, voxels)."""
    predictor = Predictor.load(model, engine=engine, precision=precision, device="cpu")
    return flat([predictor.predict(case).tissues for case in cases])


def flat(tissues: list[np.ndarray]) -> np.ndarray:
    """Return the regions of label maps, (patients, 3, voxels)."""
    return np.array([[region_mask(one, name).ravel() for name in REGIONS] for one in tissues])


def dice(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the Dice of each patient and region."""
    return 2 * (a & b).sum(-1) / (a.sum(-1) + b.sum(-1))


@pytest.mark.parametrize("model", [row.name for row in bundled_models() if row.card])
def test_engines_agree_with_pytorch_in_float32(model, cases):
    """Float32 decides the same but for ties; bfloat16 stays within the stated bounds."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    exact = masks(model, "torch", "float32", cases)
    truth = flat([case.reference for case in cases])
    assert dice(masks(model, "openvino", "float32", cases), exact).min() >= TIES
    for engine in ("torch", "openvino"):
        rounded = masks(model, engine, "bfloat16", cases)
        agreement = dice(rounded, exact)
        assert agreement.mean() >= LEAST_MEAN
        assert agreement.min() >= LEAST
        assert abs((dice(rounded, truth) - dice(exact, truth)).mean()) <= DRIFT
