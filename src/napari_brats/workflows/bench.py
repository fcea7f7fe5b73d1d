"""Measure what the models take on this computer, for those who ask before they press Run."""

import time
from collections.abc import Iterator

from napari_brats.case import load_case
from napari_brats.inference.costs import Costs
from napari_brats.networks.catalog import ModelRow, list_models
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.samples import SAMPLES, sample_folder

SECONDS = 10
"""After so long no further model is begun."""


def measure(seconds: float = SECONDS) -> Iterator[tuple[str, str]]:
    """Run every model with weights twice with every engine on a bundled patient.

    `segment` remembers each run. The default model comes first.

    Parameters
    ----------
    seconds : float
        After so long no further model or engine is begun.

    Yields
    ------
    tuple of str
        A model's name, and what it took, or why that is not known.
    """
    from napari_brats.inference.devices import resolve_device
    from napari_brats.inference.engines import installed_engines
    from napari_brats.workflows.segment import segment

    start = time.monotonic()
    engines = installed_engines(resolve_device().kind)
    case = load_case(sample_folder(next(iter(SAMPLES))))
    pairs = [(model, engine) for model in _with_weights() for engine in engines]
    for model, engine in sorted(pairs, key=lambda pair: _runs(*pair)):
        if time.monotonic() - start > seconds:
            yield _name(model), f"{engine}: the time was up; once more goes on here"
            continue
        notices: list[str] = []
        for _ in range(2):
            segment(case, model=model.name, engine=engine, on_notice=notices.append)
        expected = Costs.load().expect(_name(model), engine)
        yield _name(model), expected.in_words() if expected else f"{engine}: {notices[0]}"


def _runs(model: ModelRow, engine: str) -> int:
    """Return how many runs are known, so that the least known come first."""
    expected = Costs.load().expect(_name(model), engine)
    return expected.runs if expected else 0


def _name(model: ModelRow) -> str:
    return model.card.name if model.card else model.name


def _with_weights() -> list[ModelRow]:
    rows = [row for row in list_models() if row.card]
    return sorted(rows, key=lambda row: row.name != DEFAULT_MODEL)
