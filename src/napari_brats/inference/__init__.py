"""Running networks over whole patients.

The names below import torch when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_brats.inference.averaging import Prediction
    from napari_brats.inference.logits import predict_logits
    from napari_brats.inference.predictor import Ensemble, Predictor

__all__ = ["Ensemble", "Prediction", "Predictor", "predict_logits"]

_HOMES = {
    "Ensemble": "predictor",
    "Prediction": "averaging",
    "Predictor": "predictor",
    "predict_logits": "logits",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"napari_brats.inference.{_HOMES[name]}"), name)
