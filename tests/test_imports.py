"""Starting is free: heavy packages are imported when they are used."""

import subprocess
import sys

import pytest

import napari_brats

HEAVY = ("torch", "napari", "qtpy", "matplotlib", "scipy", "skimage", "nibabel", "rich")


def run(*arguments: str) -> str:
    """Run Python in a fresh process and return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize(
    "code",
    ["import napari_brats", "from napari_brats.cli.app import build_parser; build_parser()"],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    """Neither the package nor the parser of the command line loads a heavy package."""
    loaded = run("-c", f"import sys; {code}; print(*sys.modules)").split()
    assert set(HEAVY) & set(loaded) == set()


@pytest.mark.parametrize("name", ["load_case", "evaluate", "list_models"])
def test_looking_and_scoring_need_no_torch(name: str) -> None:
    """Reading a case, scoring a mask and listing the models work without torch."""
    loaded = run("-c", f"import sys; from napari_brats import {name}; print(*sys.modules)").split()
    assert "torch" not in loaded


@pytest.mark.parametrize("name", napari_brats.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """What `__all__` and `dir` promise can be had."""
    assert name in dir(napari_brats)
    assert getattr(napari_brats, name)


def test_another_name_is_an_attribute_error() -> None:
    """The lazy module fails like any other."""
    with pytest.raises(AttributeError, match="no attribute 'dissect'"):
        napari_brats.dissect  # noqa: B018
