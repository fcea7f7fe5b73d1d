"""Every benchmark of the asv suites runs: what asv would time, once each."""

import importlib.util
import inspect
from itertools import product
from pathlib import Path

import pytest

STAGES = Path(__file__).parents[1] / "benchmarks/suites/stages.py"
_SPEC = importlib.util.spec_from_file_location("stages", STAGES)
assert _SPEC is not None
assert _SPEC.loader is not None
stages = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(stages)

SUITES = {
    name: suite
    for name, suite in inspect.getmembers(stages, inspect.isclass)
    if suite.__module__ == stages.__name__
}


def choices(suite: type) -> list[tuple[str, ...]]:
    """Return every set of parameters, as asv makes them: one list of values, or several."""
    params = getattr(suite, "params", ())
    lists = params if params and not isinstance(params[0], str) else [params] if params else []
    return list(product(*lists))


def test_every_stage_has_a_suite() -> None:
    """A patient's way from start to scores."""
    assert set(SUITES) == {
        "Start", "Loading", "Preprocessing", "Network", "Postprocessing", "Scores",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_a_suite_runs(name: str) -> None:
    """With every set of parameters; an engine that is not installed is left out."""
    ran = 0
    for choice in choices(SUITES[name]):
        suite = SUITES[name]()
        try:
            getattr(suite, "setup", lambda *_: None)(*choice)
        except NotImplementedError:
            continue
        for method, run in inspect.getmembers(suite, inspect.ismethod):
            if method.startswith(("time_", "peakmem_")):
                run(*choice)
                ran += 1
    assert ran
