"""Stages that overlap: order, errors, stopping, and how many items are under way."""

import threading
import time
from contextlib import closing
from threading import Event

import pytest

from napari_brats.workflows.cohort.pipeline import Stage, run_stages


def test_nothing_gives_nothing() -> None:
    """No items: no results."""
    assert list(run_stages([Stage("a", abs)], [], 3, Event())) == []


def test_every_item_comes_through_all_stages_once() -> None:
    """In any order; the busy time is kept."""
    stages = [Stage("double", lambda x: 2 * x, 2), Stage("add", lambda x: x + 1)]
    assert sorted(run_stages(stages, range(20), 4, Event())) == [2 * x + 1 for x in range(20)]
    assert all(stage.busy_seconds > 0 for stage in stages)


def test_items_are_taken_only_as_fast_as_results_leave() -> None:
    """Never more than asked for are between entry and exit."""
    inside, most, lock = 0, 0, threading.Lock()

    def enter(x: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        return x

    taken = []
    stages = [Stage("enter", enter, 4), Stage("slow", lambda x: time.sleep(0.002) or x)]
    for _ in run_stages(stages, (taken.append(x) or x for x in range(30)), 3, Event()):
        with lock:
            inside -= 1
    assert len(taken) == 30
    assert most <= 3


def test_stages_overlap() -> None:
    """While the second stage waits for the first stage's next item, that one is at work."""
    meet = threading.Barrier(2, timeout=10)

    def first(x: int) -> int:
        if x == 1:
            meet.wait()
        return x

    def second(x: int) -> int:
        if x == 0:
            meet.wait()
        return x

    stages = [Stage("first", first), Stage("second", second)]
    assert sorted(run_stages(stages, range(3), 3, Event())) == [0, 1, 2]


def test_an_error_ends_the_run() -> None:
    """What a stage raises is raised, and the threads end."""
    stages = [Stage("divide", lambda x: 1 / x), Stage("same", lambda x: x)]
    with pytest.raises(ZeroDivisionError):
        list(run_stages(stages, [1, 0, 1, 1], 2, Event()))
    assert not [one for one in threading.enumerate() if one.name.startswith("divide")]


def test_closing_tells_stages_to_stop() -> None:
    """A long stage that looks at the event ends at once."""
    stop = Event()

    def slow(x: int) -> int:
        return x if x == 0 else int(stop.wait(30))

    start = time.monotonic()
    with closing(run_stages([Stage("slow", slow)], range(5), 2, stop)) as results:
        assert next(results) == 0
    assert time.monotonic() - start < 5
