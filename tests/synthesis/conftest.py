"""A tiny head for the synthesis tests: 5 mm voxels, two hemispheres, ventricles."""

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.synthesis.anatomy import CLASSES, Anatomy, anatomy_from_labels
from napari_brats.synthesis.brain import Brain

SPACING = (5.0, 5.0, 5.0)


def tiny_labels() -> NDArray[np.int32]:
    """Return FreeSurfer codes (X, Y, Z), axes LPS: nested ellipsoids of a plausible size."""
    shape = (34, 40, 34)
    axes = [(np.arange(n) - (n - 1) / 2) * 5 for n in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    left = x > 0
    labels = np.zeros(shape, np.int32)

    def fill(rx: float, ry: float, rz: float, right_code: int, left_code: int) -> None:
        inside = (x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2 < 1
        labels[inside] = np.where(left, left_code, right_code)[inside]

    fill(78, 94, 78, 24, 24)
    fill(66, 82, 66, 42, 3)
    fill(54, 70, 54, 41, 2)
    fill(22, 26, 20, 49, 10)
    fill(14, 22, 12, 43, 4)
    return labels


@pytest.fixture(scope="session")
def labels() -> NDArray[np.int32]:
    return tiny_labels()


@pytest.fixture(scope="session")
def anatomy(labels: NDArray[np.int32]) -> Anatomy:
    return anatomy_from_labels(labels, SPACING)


@pytest.fixture(scope="session")
def brain(anatomy: Anatomy) -> Brain:
    """The tiny head as a brain on its own grid, neither posed nor pushed."""
    shares = anatomy.fractions.astype(np.float32)
    total = shares.sum(0)
    mask = total > 127
    fractions = np.where(mask, shares / np.maximum(total, 1), 0).astype(np.float32)
    assert len(fractions) == len(CLASSES)
    return Brain(mask, fractions, SPACING)
