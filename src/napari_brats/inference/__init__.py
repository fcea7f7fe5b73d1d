"""Running networks over whole patients.

`predict_logits`, `Predictor` and `Prediction` are here; they import torch when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_brats.inference.predictor import Prediction, Predictor, predict_logits

__all__ = ["Prediction", "Predictor", "predict_logits"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from napari_brats.inference import predictor

    return getattr(predictor, name)
