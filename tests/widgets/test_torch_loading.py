"""Linking torch ahead of its import."""

import subprocess
import sys

import pytest

from napari_brats.widgets.torch_loading import link_torch

CODE = (
    "import sys\n"
    "from napari_brats.widgets.torch_loading import link_torch\n"
    "linked = link_torch()\n"
    "assert 'torch' not in sys.modules\n"
    "import torch\n"
    "assert torch.ones(2).sum() == 2\n"
    "assert link_torch()\n"
    "print(linked)\n"
)


@pytest.mark.slow
def test_torch_works_after_linking():
    """Linking imports nothing, and the import that follows works."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    if sys.platform == "linux":
        assert done.stdout.strip() == "True"


def test_without_torch(monkeypatch):
    """Where torch is not installed nothing is linked and nothing breaks."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr("napari_brats.widgets.torch_loading.find_spec", lambda name: None)
    assert not link_torch()
