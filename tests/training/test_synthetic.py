import nibabel as nib
import numpy as np
import pytest

from napari_brats.errors import CaseError
from napari_brats.preprocessing.recipes import RECIPES
from napari_brats.training.config import TrainConfig
from napari_brats.training.data import Sample
from napari_brats.training.synthetic import Fresh, make_synthetic, synthetic_source

RECIPE = RECIPES["brain-1.5mm"]


@pytest.fixture
def anatomy(tmp_path):
    """A folder with one map of a coarse brain: cortex around white matter and ventricles."""
    grid = np.meshgrid(*(np.linspace(-1, 1, size) for size in (36, 44, 36)), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in grid))
    codes = np.select([radius < 0.2, radius < 0.75, radius < 0.95], [4, 2, 3], 0)
    folder = tmp_path / "anatomy"
    folder.mkdir()
    image = nib.Nifti1Image(codes.astype(np.uint8), np.diag([4.0, 4.0, 4.0, 1.0]))
    nib.save(image, folder / "brain.nii.gz")
    return folder


def test_none_are_made_unless_asked_for(tmp_path):
    """Empty case: no synthetic patients, no anatomy needed."""
    assert synthetic_source(TrainConfig(), RECIPE, tmp_path, print) is None
    config = TrainConfig(anatomy=tmp_path, synthetic_share=0)
    assert synthetic_source(config, RECIPE, tmp_path, print) is None


def test_no_maps_is_an_error_that_names_the_folder(tmp_path):
    """Synthetic patients need brain maps."""
    config = TrainConfig(anatomy=tmp_path, synthetic_cases=1)
    with pytest.raises(CaseError, match="no brain maps"):
        synthetic_source(config, RECIPE, tmp_path, print)


@pytest.mark.slow
def test_a_new_patient_for_each_sample(anatomy):
    """Decided by the generator alone: the same again gives the same voxels."""
    source = synthetic_source(TrainConfig(anatomy=anatomy), RECIPES["brain-2mm"], anatomy, print)
    assert isinstance(source, Fresh)
    first, again, other = (source(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images, again.images)
    assert first.images.shape != other.images.shape or (first.images != other.images).any()


@pytest.mark.slow
def test_a_cache_grows_without_changing(tmp_path, anatomy):
    """Patients that are there are kept; each is decided by its own seed."""
    config = TrainConfig(anatomy=anatomy, synthetic_cases=1)
    maps = sorted(anatomy.iterdir())
    (first,) = make_synthetic(config, maps, RECIPE, tmp_path, print)
    before = first.read_bytes()
    lines: list[str] = []
    more = TrainConfig(anatomy=anatomy, synthetic_cases=2)
    paths = make_synthetic(more, maps, RECIPE, tmp_path, lines.append)
    assert paths[0] == first
    assert first.read_bytes() == before
    assert lines == ["making 1 synthetic patients"]
    sample = Sample.load(paths[1])
    assert sample.images.shape == (4, *sample.tissues.shape)
    assert sample.tissues.max() <= 3
