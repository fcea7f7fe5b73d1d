"""What napari learns from the manifest, and how it opens patients by itself."""

from importlib.resources import files

import numpy as np
import pytest
from npe2 import PluginManifest

from napari_brats.networks.registry import MODELS
from napari_brats.plugin.display import VIEW_CONVENTIONS
from napari_brats.samples import SAMPLES
from napari_brats.widgets.model_panel import DEVICES
from napari_brats.widgets.preferences import Preferences


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(files("napari_brats") / "napari.yaml")


def test_every_command_exists(manifest):
    """Each python_name of the manifest can be imported."""
    manifest.validate_imports()


def test_settings_follow_the_tables(manifest):
    """Choices and defaults of the settings are those of the tables."""
    view, inference = (manifest.contributions.configurations[key] for key in ("view", "inference"))
    assert view.properties["convention"].enum == list(VIEW_CONVENTIONS)
    assert inference.properties["device"].enum == list(DEVICES)
    assert inference.properties["model"].default in MODELS
    assert Preferences() == Preferences(
        view.properties["convention"].default,
        inference.properties["model"].default,
        inference.properties["device"].default,
    )


def test_samples_follow_the_table(manifest):
    """File > Open Sample lists every bundled patient with its title."""
    listed = {sample.key: sample.display_name for sample in manifest.contributions.sample_data}
    assert listed == {key: sample.title for key, sample in SAMPLES.items()}


def test_the_widget_is_in_the_segment_menu(manifest):
    """Layers > Segment > BraTS leads to the widget."""
    menus = manifest.contributions.menus
    submenu = menus["napari/layers/segment"][0].submenu
    commands = [item.command for item in menus[submenu]]
    assert manifest.contributions.widgets[0].command in commands


@pytest.mark.gui
def test_file_open_and_save(make_napari_viewer, tmp_path, make_patient_folder):
    """File > Open on a folder shows a protected patient; the labels writer saves its mask."""
    folder = make_patient_folder(tmp_path)
    viewer = make_napari_viewer(show=True)
    layers = viewer.open(str(folder), plugin="napari-brats")
    assert len(layers) == 5
    assert not layers[-1].editable
    assert [str(unit) for unit in layers[0].units] == ["millimeter"] * 3
    target = tmp_path / "copy.nii.gz"
    assert layers[-1].save(str(target), plugin="napari-brats") == [str(target)]
    from napari_brats.case import load_case, load_mask

    case = load_case(folder)
    np.testing.assert_array_equal(load_mask(target, case.convention)[0], case.reference)
