"""What is remembered of runs, and what follows from it."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_brats.inference.costs import KEPT, Costs, Run, costs_file, remember

RUN = Run("net", "torch", "CPU, float32", False, 1000, 1.0, 2.0, 5 * 10**8)


def test_runs_are_remembered() -> None:
    """The median counts, and the first run of a program apart from the later ones."""
    for seconds in (2.0, 9.0, 3.0):
        remember(replace(RUN, total_seconds=seconds))
    remember(replace(RUN, first=True, total_seconds=7.0))
    expected = Costs.load().expect("net")
    assert expected is not None
    assert (expected.seconds, expected.first_seconds, expected.runs) == (3.0, 7.0, 4)
    assert expected.in_words() == "3 s (the first 7 s), 0.5 GB; torch, CPU, float32"
    assert Costs.load().expect("other") is None


def test_minutes_are_told_in_plain_digits() -> None:
    """Not as 1.2e+02 s."""
    expected = Costs([replace(RUN, total_seconds=123.4)]).expect("net")
    assert expected is not None
    assert expected.in_words().startswith("123 s, ")


def test_a_first_run_alone_is_told_as_such() -> None:
    """Nothing is made up for the later ones."""
    expected = Costs([replace(RUN, first=True)]).expect("net")
    assert expected is not None
    assert expected.seconds is None
    assert expected.in_words().startswith("2 s for the first patient, ")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40))
def test_the_oldest_of_a_kind_goes(kinds: list[tuple[str, bool]]) -> None:
    """Of every kind the latest are kept, in order; none pushes another kind out."""
    costs = Costs()
    runs = [
        replace(RUN, model=model, first=first, voxels=number + 1)
        for number, (model, first) in enumerate(kinds)
    ]
    for run in runs:
        costs = costs.with_run(run)
    for kind in {run.kind for run in runs}:
        alike = [run for run in runs if run.kind == kind]
        assert [run for run in costs.runs if run.kind == kind] == alike[-KEPT:]


def test_the_fastest_engine_depends_on_what_it_still_has_to_do() -> None:
    """An engine that must compile first loses on one patient and wins on the next."""
    costs = Costs(
        [
            RUN,
            replace(RUN, first=True, network_seconds=1.2),
            replace(RUN, engine="openvino", network_seconds=0.5),
            replace(RUN, engine="openvino", first=True, network_seconds=3.0),
        ]
    )
    device = RUN.device
    assert costs.fastest("net", {"torch": True, "openvino": True}, device, 500) == "torch"
    assert costs.fastest("net", {"torch": False, "openvino": False}, device, 500) == "openvino"
    assert costs.network_seconds("net", "torch", device, 500, False) == pytest.approx(0.5)
    assert costs.fastest("net", {"torch": False, "other": False}, device, 500) is None
    assert costs.fastest("net", {}, device, 500) is None


DAMAGED = [
    json.dumps([asdict(replace(RUN, **{field: value}))])
    for field in ("voxels", "network_seconds", "total_seconds", "memory_bytes")
    for value in (None, "1", -1, math.nan)
]


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '[{"model": "net"}]', '{"a": 1}', "null", *DAMAGED]
)
def test_a_damaged_file_counts_as_no_runs(text: str) -> None:
    """And the next run makes it whole."""
    costs_file().parent.mkdir(parents=True, exist_ok=True)
    costs_file().write_text(text)
    assert Costs.load().runs == ()
    remember(RUN)
    assert Costs.load().runs == (RUN,)


def test_no_room_for_the_file_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run succeeds where the cache cannot be written."""
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("NAPARI_BRATS_CACHE", str(tmp_path / "file"))
    remember(RUN)
    assert Costs.load().runs == ()
