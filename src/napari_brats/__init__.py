"""Segment brain tumors in BraTS patients, correct the masks in napari, and score them live.

The names below are the public API. Each is imported when it is first used, so that
``import napari_brats`` costs nothing and looking at a case never loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_brats.case import load_case
    from napari_brats.networks.catalog import list_models
    from napari_brats.networks.registry import create_model
    from napari_brats.workflows.evaluate import evaluate
    from napari_brats.workflows.segment import segment

    __version__: str

__all__ = ["__version__", "create_model", "evaluate", "list_models", "load_case", "segment"]

_HOMES = {
    "load_case": "napari_brats.case",
    "segment": "napari_brats.workflows.segment",
    "evaluate": "napari_brats.workflows.evaluate",
    "create_model": "napari_brats.networks.registry",
    "list_models": "napari_brats.networks.catalog",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("napari-brats")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported yet or not."""
    return sorted({*globals(), *__all__})
