"""What `doctor --bench` measures first, and what it says."""

from typing import Any

import pytest

from napari_brats.inference.costs import Costs, Run, remember
from napari_brats.workflows import bench


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the runs: each is remembered at once, but OpenVINO gives way to PyTorch."""
    pytest.importorskip("torch")
    engines: list[str] = []

    def segment(_: Any, *, model: str, engine: str, on_notice: Any) -> None:
        engines.append(engine)
        if engine == "openvino":
            on_notice("OpenVINO refuses this network (no such layer); going on with PyTorch")
        first = len(engines) % 2 == 1
        remember(Run(f"{model}-lite", "torch", "CPU", first, 100, 0.5, 2.0, 10**8))

    monkeypatch.setattr("napari_brats.workflows.segment.segment", segment)
    monkeypatch.setattr(
        "napari_brats.inference.engines.installed_engines", lambda _: ["torch", "openvino"]
    )
    monkeypatch.setattr(bench, "load_case", lambda _: None)
    return engines


def test_every_engine_runs_twice(asked: list[str]) -> None:
    """The default model first; one that refuses is told with its reason."""
    words = list(bench.measure())
    assert words[0] == ("dresunet3d-lite", "2 s (the first 2 s), 0.1 GB; torch, CPU")
    assert words[1][1].startswith("openvino: OpenVINO refuses")
    assert asked[:4] == ["torch", "torch", "openvino", "openvino"]


def test_what_is_known_least_comes_first(asked: list[str]) -> None:
    """When the time is up the rest is named; the next call begins with it."""
    words = list(bench.measure(seconds=-1))
    assert all("once more" in what for _, what in words)
    assert asked == []
    remember(Run("dresunet3d-lite", "torch", "CPU", True, 100, 0.5, 2.0, 10**8))
    next(iter(bench.measure()))
    assert asked[0] == "openvino"
    assert Costs.load().expect("dresunet3d-lite") is not None
