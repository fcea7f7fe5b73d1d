"""`Watch`: a run on a cluster that waits without workers says so, and asks for jobs again."""

import time
from collections.abc import Callable, Sized

LOOK_SECONDS = 15.0
"""How often a run that waits looks after its workers."""

SILENCE_SECONDS = 300.0
"""How long no worker may be there until that is told."""


class Watch:
    """Looks after the workers while a run waits for them.

    A job of a batch system ends with its time, and nothing in Dask or dask-jobqueue asks for
    it again. It is asked for here as long as patients get done: jobs that end without having
    done any would end so again and again.

    Parameters
    ----------
    renew : callable
        Asks for jobs that have ended, and returns how many.
    say : callable
        Takes one line.
    cure : str
        What to do where no worker is there.
    clock : callable
        Seconds.
    """

    def __init__(
        self,
        renew: Callable[[], int],
        say: Callable[[str], None],
        cure: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._renew, self._say, self._cure, self._clock = renew, say, cure, clock
        self._looked = self._there = clock()
        self._told = self._progress = False

    def done(self) -> None:
        """Note that a patient is done."""
        self._progress = True

    def look(self, workers: Callable[[], Sized], waiting: int) -> bool:
        """Look, if it is time, and return whether something was said.

        Parameters
        ----------
        workers : callable
            Returns those that are there.
        waiting : int
            Patients to do.
        """
        now = self._clock()
        if now < self._looked + LOOK_SECONDS:
            return False
        self._looked = now
        if len(workers()):
            self._there, self._told = now, False
        if self._progress and (jobs := self._renew()):
            self._progress = False
            self._say(
                f"jobs that have ended, mostly because their time was over, are asked for again: "
                f"{jobs}; patients to do: {waiting}"
            )
            return True
        if self._told or now < self._there + SILENCE_SECONDS:
            return False
        self._told = True
        self._say(
            f"no worker for {(now - self._there) / 60:.0f} minutes, patients to do: {waiting}; "
            f"{self._cure}. The run goes on when one comes; or stop it and give the same command "
            "later: what is done is kept"
        )
        return True
