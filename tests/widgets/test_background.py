import os
import sys
from threading import Thread, get_native_id

import pytest
from napari.qt.threading import create_worker

from napari_brats.widgets.background import _ClosingWorker, give_way

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux knows the priority of a thread"
)


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, get_native_id())


def test_a_thread_and_its_children_give_way():
    """Whoever called gets less; threads that it starts inherit that; nobody else changes."""
    before = priority()
    seen = []

    def work():
        give_way(before + 3)
        seen.append(priority())
        child = Thread(target=lambda: seen.append(priority()))
        child.start()
        child.join()
        give_way(before + 1)
        seen.append(priority())

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before + 3] * 3
    assert priority() == before


def test_work_in_the_background_gives_way():
    """What a window runs beside itself never takes its processor."""
    seen = []

    def body():
        seen.append(priority())
        yield

    worker = create_worker(body, _start_thread=False, _worker_class=_ClosingWorker)
    thread = Thread(target=worker.work)
    thread.start()
    thread.join()
    assert seen == [max(priority(), 10)]
