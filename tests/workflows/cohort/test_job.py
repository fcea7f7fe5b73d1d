"""What makes a cohort's masks, looked up before anything is computed."""

import shutil

import pytest

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import bundled_stem
from napari_brats.workflows.cohort.job import Settings, makers_of


def test_two_models_of_one_name_are_not_one(tmp_path):
    """A training's weights are called like the bundled ones: neither may be left out unsaid."""
    stem = bundled_stem("unet3d")
    for suffix in (".json", ".safetensors"):
        shutil.copyfile(stem.with_suffix(suffix), tmp_path / f"{stem.name}{suffix}")
    models = ("unet3d", str(tmp_path / f"{stem.name}.safetensors"))
    assert [maker.model for maker in makers_of(models, Settings())] == ["unet3d"]
    card = tmp_path / f"{stem.name}.json"
    card.write_text(card.read_text("utf-8").replace('"sha256": "', '"sha256": "0'), "utf-8")
    with pytest.raises(CheckpointError, match=r"one name, 'unet3d-lite'.*models add FILE --name"):
        makers_of(models, Settings())
