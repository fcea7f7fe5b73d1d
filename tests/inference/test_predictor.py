"""From a case to probabilities and tissues on the patient's own grid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_brats.errors import (
    Cancelled,
    CaseError,
    DeviceError,
    EngineError,
)
from napari_brats.inference.costs import Run, remember
from napari_brats.inference.engines import ENGINES, TorchEngine
from napari_brats.inference.predictor import Predictor
from napari_brats.networks.checkpoint import save_checkpoint
from napari_brats.networks.registry import MODELS


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name == "dr_unet104")) for name in MODELS],
)
def test_every_network_segments_on_the_patients_grid(name: str, tiny_predictor, tiny_case) -> None:
    """2D or 3D, with the recipe of our weights: probabilities and nested tissues, shape kept."""
    case = tiny_case()
    prediction = tiny_predictor(name).predict(case)
    assert prediction.probabilities.shape == (3, *case.shape)
    assert prediction.probabilities.dtype == np.float32
    assert 0 <= prediction.probabilities.min() <= prediction.probabilities.max() <= 1
    assert prediction.tissues.shape == case.shape
    assert prediction.tissues.dtype == np.uint8
    assert set(prediction.seconds) == {"preprocess", "network", "postprocess"}
    assert prediction.engine == "torch"


def test_outside_the_brain_box_there_is_no_tumor(tiny_predictor, tiny_case) -> None:
    """What the recipe cuts away comes back as probability 0."""
    case = tiny_case()
    probabilities = tiny_predictor().predict(case).probabilities
    assert not probabilities[:, 0, 0, 0].any()
    assert probabilities[:, 13, 11, 5].all()


def test_softmax_weights_are_summed_into_regions(tiny_predictor, tiny_case) -> None:
    """Cards that say "tissues" give nested probabilities."""
    whole, core, enhancing = tiny_predictor(outputs="tissues").predict(tiny_case()).probabilities
    assert (whole >= core - 1e-6).all()
    assert (core >= enhancing - 1e-6).all()


def test_the_same_case_gives_the_same_result_again(tiny_predictor, tiny_case) -> None:
    """Evaluation mode: no dropout, no statistics; the engine is made once."""
    predictor, case = tiny_predictor(), tiny_case()
    first, second = predictor.predict(case), predictor.predict(case)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert len(predictor._engines) == 1


@pytest.mark.slow
def test_auto_takes_what_was_fastest_here(tiny_predictor, tiny_case) -> None:
    """PyTorch until all engines are known; then the one that will be done first."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    predictor, case = tiny_predictor(), tiny_case()
    predictor.engine = "auto"
    assert predictor.predict(case).engine == "torch"
    name, title = predictor.card.name, predictor.device.title
    for engine, seconds in (("torch", 2.0), ("openvino", 1.0)):
        remember(Run(name, engine, title, False, 1000, seconds, 3.0, 1))
    found = predictor.predict(case)
    assert (found.engine, found.voxels > 0, found.memory_bytes > 0) == ("openvino", True, True)


def test_a_refused_engine_is_not_asked_again(tiny_predictor, tiny_case, monkeypatch) -> None:
    """OpenVINO that is not installed gives way to PyTorch, once and with one notice."""
    predictor, case, notices = tiny_predictor(), tiny_case(), []
    predictor.engine = "openvino"
    monkeypatch.setattr(
        "napari_brats.inference.engines.find_spec", lambda name: name == "torch" or None
    )
    for _ in range(2):
        assert predictor.predict(case, on_notice=notices.append).engine == "torch"
    (notice,) = notices
    assert "'openvino' needs the package" in notice
    assert notice.endswith("going on with PyTorch")


def test_an_engine_that_refused_holds_no_memory(tiny_predictor, tiny_case, monkeypatch) -> None:
    """What it had compiled for earlier patients goes with it."""
    predictor, case = tiny_predictor(), tiny_case()
    predictor.engine = "openvino"

    class Refusing(TorchEngine):
        name = "openvino"

        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            raise EngineError("OpenVINO gave values that are no numbers")

    row = replace(ENGINES["openvino"], make=Refusing, package="torch")
    monkeypatch.setitem(ENGINES, "openvino", row)
    assert predictor.predict(case).engine == "torch"
    assert [name for name, _ in predictor._engines] == ["torch"]


def test_traces_of_enhancement_go_and_are_told(tiny_predictor, tiny_case) -> None:
    """The card's limit is applied to the whole patient, in ml of the patient's own voxels."""
    predictor, case, notices = tiny_predictor(), tiny_case(), []
    nn.init.constant_(predictor.network.head.bias, 5)
    plain = predictor.predict(case)
    enhancing = plain.tissues == 3
    assert enhancing.any()
    volume = enhancing.sum() * case.voxel_ml
    predictor.card = replace(predictor.card, least_enhancing_ml=volume + 1)
    found = predictor.predict(case, on_notice=notices.append)
    np.testing.assert_array_equal(found.tissues, np.where(enhancing, 1, plain.tissues))
    np.testing.assert_array_equal(found.probabilities, plain.probabilities)
    assert notices[0].startswith(f"{volume:.2f} ml of enhancing tumor")


def test_a_missing_modality_is_named_before_anything_is_computed(tiny_predictor, tiny_case) -> None:
    """The message names the modality, the case and the model."""
    images = {name: np.zeros((4, 4, 4), np.float32) for name in ("t1", "t2", "flair")}
    with pytest.raises(CaseError, match=r"'P1' has no t1ce .*model 'dresunet3d'"):
        tiny_predictor().predict(tiny_case(images=images))


def test_brain_outside_a_fixed_crop_is_noted(tiny_predictor, tiny_case) -> None:
    """The note reaches the prediction and the caller."""
    notices: list[str] = []
    wide = tiny_case((200, 4, 4), affine=np.diag([-1.0, -1, 1, 1]))
    prediction = tiny_predictor("unet3d", recipe="unet3d").predict(wide, on_notice=notices.append)
    assert len(notices) == 1
    assert "outside the recipe's 128 x 128 x 128 box" in notices[0]
    assert prediction.notes == tuple(notices)


def test_cancelling_stops_a_prediction(tiny_predictor, tiny_case) -> None:
    """What on_step raises comes through."""

    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        tiny_predictor().predict(tiny_case(), on_step=stop)


def test_a_saved_checkpoint_predicts_the_same(tmp_path: Path, tiny_predictor, tiny_case) -> None:
    """Predictor.load takes a path."""
    predictor, case = tiny_predictor(), tiny_case()
    save_checkpoint(predictor.network, predictor.card, tmp_path / "tiny")
    loaded = Predictor.load(tmp_path / "tiny.safetensors", device="cpu", precision="float32")
    expected = predictor.predict(case).probabilities
    np.testing.assert_array_equal(loaded.predict(case).probabilities, expected)


def test_a_device_that_is_not_there_is_refused_before_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even a checkpoint that does not exist is not looked for."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="'cuda' was asked for"):
        Predictor.load("nothing", device="cuda")
