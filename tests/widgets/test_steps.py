"""A call that reports becomes a generator that can be stopped."""

from threading import Event, active_count

import pytest

from napari_brats.errors import CaseError
from napari_brats.widgets.steps import Notice, Step, stepping


def counting(total, log):
    def call(on_step, on_notice):
        on_notice("smaller batch")
        try:
            for done in range(1, total + 1):
                log.append(done)
                on_step(done, total)
        finally:
            log.append("freed")
        return "result"

    return call


def run_out(generator):
    reports = []
    try:
        while True:
            reports.append(next(generator))
    except StopIteration as end:
        return reports, end.value


def test_reports_and_result():
    """Every report is yielded in order, then the result is returned."""
    reports, result = run_out(stepping(counting(2, []), Event()))
    assert reports == [Notice("smaller batch"), Step(1, 2), Step(2, 2)]
    assert result == "result"


def test_errors_come_through():
    """What the call raises is raised by the generator."""

    def call(on_step, on_notice):
        raise CaseError("no patient")

    with pytest.raises(CaseError, match="no patient"):
        next(stepping(call, Event()))


def test_closing_stops_and_waits():
    """Closing ends the call at its next step; it has freed everything when close returns."""
    log = []
    gate = Event()

    def call(on_step, on_notice):
        try:
            for done in range(1, 100):
                log.append(done)
                on_step(done, 100)
                gate.wait(5)
        finally:
            log.append("freed")

    before = active_count()
    generator = stepping(call, Event())
    assert next(generator) == Step(1, 100)
    gate.set()
    generator.close()
    assert log[-1] == "freed"
    assert len(log) < 100
    assert active_count() == before


def test_the_stop_event_ends_the_window_at_hand():
    """Once stop is set, the very next step raises Cancelled inside the call."""
    log = []
    stop = Event()
    stop.set()
    generator = stepping(counting(9, log), stop)
    assert next(generator) == Notice("smaller batch")
    with pytest.raises(Exception, match="stopped"):
        run_out(generator)
    assert log == [1, "freed"]
