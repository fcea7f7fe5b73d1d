"""Work beside the event loop: one piece of it never waits for another."""

from threading import Event

from qtpy.QtCore import QThreadPool

from napari_brats.widgets.background import Task


def test_long_work_holds_up_no_other(qtbot):
    """With as many runs going on as there are cores, a save still begins."""
    gate, results, ended = Event(), [], []

    def work(wait):
        yield
        if wait:
            gate.wait(20)
        return wait

    def start(wait):
        return Task(
            lambda stop: work(wait),
            "work",
            on_report=lambda _: None,
            on_result=results.append,
            on_end=lambda: ended.append(wait),
        )

    pool = QThreadPool.globalInstance()
    room = pool.maxThreadCount()
    tasks = [start(True) for _ in range(room)] + [start(False)]
    try:
        qtbot.waitUntil(lambda: results == [False], timeout=10_000)
    finally:
        gate.set()
    qtbot.waitUntil(lambda: len(ended) == len(tasks), timeout=20_000)
    pool.waitForDone(10_000)
    assert (pool.maxThreadCount(), pool.activeThreadCount()) == (room, 0)
