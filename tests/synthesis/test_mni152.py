"""The MNI152 maps of nilearn."""

from importlib.util import find_spec

import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.synthesis import mni152
from napari_brats.synthesis.anatomy import CLASSES


def test_without_nilearn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found, expected, what to do."""
    monkeypatch.setattr(mni152, "find_spec", lambda name: None)
    with pytest.raises(CaseError, match="pip install nilearn"):
        mni152.load_mni152()


def test_fluid_in_the_middle_is_ventricle() -> None:
    """What is neither grey nor white is CSF at the rim and ventricle deep inside."""
    axes = np.meshgrid(*[np.arange(30) - 14.5] * 3, indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes)) * 5
    brain = radius < 68
    grey = ((radius < 60) & (radius > 50)).astype(np.float32)
    white = ((radius <= 50) & (radius > 15)).astype(np.float32)
    anatomy = mni152.anatomy_from_maps(grey, white, brain, (5.0, 5.0, 5.0))
    middle = tuple(size // 2 for size in anatomy.shape)
    share = dict(zip(CLASSES, anatomy.fractions, strict=True))
    assert share["ventricle"][middle] > 200
    assert share["csf"].any()
    assert not share["csf"][middle]


@pytest.mark.slow
def test_real_maps_hold_a_brain() -> None:
    """The maps that nilearn ships make an anatomy of an adult's size."""
    if find_spec("nilearn") is None:
        pytest.skip("nilearn is not installed")
    anatomy = mni152.load_mni152()
    assert (anatomy.brain_mm > 130).all()
    assert (anatomy.brain_mm < 200).all()
    deep = anatomy.fractions[CLASSES.index("ventricle")].astype(float).sum() / 255_000
    assert 10 < deep < 120
