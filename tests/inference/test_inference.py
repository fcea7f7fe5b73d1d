"""The public names of `napari_brats.inference`, without torch until they are used."""

import subprocess
import sys

import pytest

import napari_brats.inference as inference


def test_public_names_are_found() -> None:
    """Scripts take predict_logits from the package."""
    for name in inference.__all__:
        assert getattr(inference, name).__name__ == name


def test_other_names_are_not() -> None:
    """As from any module."""
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = inference.predict


@pytest.mark.parametrize("module", ["inference.devices", "preprocessing.recipes"])
def test_tables_and_devices_import_neither_torch_nor_scipy(module: str) -> None:
    """Asking what there is must not cost seconds."""
    code = (
        f"import sys, napari_brats.{module}; "
        "sys.exit(' '.join({'torch', 'scipy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
