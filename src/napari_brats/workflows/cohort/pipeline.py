"""Stages that overlap: while one patient is in the network, others are read and written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Lock
from time import perf_counter
from typing import Any


@dataclass
class Stage:
    """One step of the way.

    Parameters
    ----------
    name : str
        For people.
    work : callable
        Takes what the stage before gives.
    threads : int
        How many items it works on at a time.
    busy_seconds : float
        Time that it has worked, of all threads together.
    """

    name: str
    work: Callable[[Any], Any]
    threads: int = 1
    busy_seconds: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, item: Any) -> Any:
        """Work on one item and keep the time."""
        start = perf_counter()
        try:
            return self.work(item)
        finally:
            with self._lock:
                self.busy_seconds += perf_counter() - start


def run_stages(
    stages: Sequence[Stage], items: Iterable[Any], in_flight: int, stop: Event
) -> Iterator[Any]:
    """Send items through stages, each stage in threads of its own.

    Parameters
    ----------
    stages : sequence of Stage
        In order.
    items : iterable
        Taken only as fast as results leave, so that memory stays flat.
    in_flight : int
        Most items between the first stage's entry and the last one's exit.
    stop : Event
        Is set when nothing more is wanted; a stage that looks at it ends sooner.

    Yields
    ------
    Any
        What the last stage gives, as it comes.

    Raises
    ------
    Exception
        What a stage raises; nothing new is begun then. Also where the generator is closed,
        stages end the item they are at before it returns.
    """
    with ExitStack() as stack:
        pools = [
            stack.enter_context(ThreadPoolExecutor(stage.threads, thread_name_prefix=stage.name))
            for stage in stages
        ]
        source = iter(items)
        under_way: set[Future[Any]] = set()
        try:
            while True:
                while len(under_way) < in_flight:
                    try:
                        item = next(source)
                    except StopIteration:
                        break
                    under_way.add(_send(stages, pools, item))
                if not under_way:
                    return
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                # What is whole is handed over before what went wrong ends the run.
                for future in sorted(done, key=_went_wrong):
                    yield future.result()
        finally:
            stop.set()
            for pool in pools:
                pool.shutdown(wait=False, cancel_futures=True)


def _went_wrong(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _send(stages: Sequence[Stage], pools: Sequence[ThreadPoolExecutor], item: Any) -> Future[Any]:
    """Return the future of the last stage's result."""
    end: Future[Any] = Future()

    def enter(place: int, value: Any) -> None:
        if place == len(stages):
            end.set_result(value)
            return
        try:
            step = pools[place].submit(stages[place], value)
        except RuntimeError:  # the run was stopped meanwhile
            end.cancel()
            return
        step.add_done_callback(lambda future: leave(place, future))

    def leave(place: int, future: Future[Any]) -> None:
        if future.cancelled():
            end.cancel()
        elif (error := future.exception()) is not None:
            end.set_exception(error)
        else:
            enter(place + 1, future.result())

    enter(0, item)
    return end
