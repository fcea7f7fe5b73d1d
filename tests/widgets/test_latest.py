"""Beside the event loop: one question at a time, and only the newest is answered."""

import threading

import pytest

from napari_brats.widgets.latest import Latest

pytestmark = pytest.mark.gui


def test_only_the_newest_is_answered(qtbot):
    """Questions that come while one is at work: the last of them follows, the others never run."""
    told, ran = [], []
    gate = threading.Event()
    latest = Latest(told.append, delay_ms=1)

    def asking(number, wait=False):
        def job():
            ran.append(number)
            if wait:
                gate.wait(20)
            return number

        return lambda: job

    latest.ask(asking(1, wait=True))
    qtbot.waitUntil(lambda: ran == [1], timeout=20_000)
    for number in (2, 3, 4):
        latest.ask(asking(number))
    assert not latest.idle
    gate.set()
    qtbot.waitUntil(lambda: latest.idle, timeout=20_000)
    assert told == [1, 4]
    assert ran == [1, 4]


def test_what_is_forgotten_is_not_told(qtbot):
    """Neither the question that waits nor the answer that comes too late."""
    told = []
    gate = threading.Event()
    latest = Latest(told.append, delay_ms=1)
    latest.ask(lambda: lambda: gate.wait(20))
    qtbot.waitUntil(lambda: latest._working, timeout=20_000)
    latest.ask(lambda: lambda: 2)
    latest.forget()
    gate.set()
    qtbot.waitUntil(lambda: latest.idle, timeout=20_000)
    assert told == []


def test_no_job_and_an_error(qtbot, monkeypatch):
    """Nothing to do is nothing; an error is shown and the next question is answered."""
    told, errors = [], []
    monkeypatch.setattr("napari_brats.widgets.latest.notify_error", errors.append)
    latest = Latest(told.append, delay_ms=1)
    latest.ask(lambda: None)
    qtbot.waitUntil(lambda: latest.idle, timeout=20_000)
    latest.ask(lambda: lambda: 1 / 0)
    qtbot.waitUntil(lambda: bool(errors), timeout=20_000)
    latest.ask(lambda: lambda: 7)
    qtbot.waitUntil(lambda: told == [7], timeout=20_000)
    assert isinstance(errors[0], ZeroDivisionError)
