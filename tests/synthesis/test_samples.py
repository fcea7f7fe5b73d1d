"""The bundled patients, and the commands that made them."""

import shlex
from pathlib import Path

import numpy as np
import pytest

from napari_brats.case import MODALITIES, Case, load_case
from napari_brats.regions import REGIONS, region_mask
from napari_brats.samples import SAMPLES, sample_data_dir
from napari_brats.synthesis.__main__ import build_parser, main
from napari_brats.synthesis.patient import BRATS_AFFINE, BRATS_SHAPE

REPOSITORY = Path(__file__).parents[2]
PREFIX = "python -m napari_brats.synthesis "
README = REPOSITORY / "sample_data" / "README.md"
MOST_BYTES = 16 * 1024**2


def commands() -> list[list[str]]:
    """Return the arguments of each command in the README."""
    lines = README.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line.removeprefix(PREFIX)) for line in lines if line.startswith(PREFIX)]


@pytest.fixture(scope="module", params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Case:
    return load_case(sample_data_dir() / SAMPLES[request.param].folder)


def test_readme_makes_every_sample() -> None:
    """One command a patient."""
    made = [build_parser().parse_args(arguments).case for arguments in commands()]
    assert made == [row.folder for row in SAMPLES.values()]


def test_samples_are_small() -> None:
    """They travel with every wheel: at most 16 MiB."""
    files = [path for path in sample_data_dir().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


def test_samples_are_whole_patients_of_brats(sample: Case) -> None:
    """Geometry of BraTS, all modalities, one brain, all regions."""
    assert sample.shape == BRATS_SHAPE
    np.testing.assert_array_equal(sample.affine, BRATS_AFFINE)
    assert set(sample.images) == set(MODALITIES)
    assert sample.reference is not None
    brain = sample.images["t1"] > 0
    assert 1000 < brain.sum() * sample.voxel_ml < 2200
    for image in sample.images.values():
        np.testing.assert_array_equal(image > 0, brain)
    assert not sample.reference[~brain].any()
    for region in REGIONS:
        assert region_mask(sample.reference, region).sum() * sample.voxel_ml > 5


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_command_regenerates_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Bit for bit: every voxel of every file is the same."""
    arguments = commands()[number]
    args = build_parser().parse_args(arguments)
    if not (REPOSITORY / args.anatomy).is_file():
        pytest.skip("the label maps are not in ../shared/anatomy")
    monkeypatch.chdir(REPOSITORY)
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    made, stored = (load_case(root / args.case) for root in (tmp_path, sample_data_dir()))
    for modality in MODALITIES:
        np.testing.assert_array_equal(made.images[modality], stored.images[modality])
    assert made.reference is not None
    assert stored.reference is not None
    np.testing.assert_array_equal(made.reference, stored.reference)
