"""A thread that writes journals soon after their masks were touched."""

from threading import Condition, Thread
from time import monotonic

from napari_brats.editing.owner import HEARTBEAT_S
from napari_brats.editing.recorder import Recorder
from napari_brats.errors import OutputError

DELAY_S = 0.5
"""How long edits are gathered: one disk access for a fast hand, well under two seconds."""


class Scribe:
    """Serves recorders until it is closed; the thread that edits only leaves a note.

    Attributes
    ----------
    trouble : str
        Why the last write failed; empty if it did not.
    """

    def __init__(self, delay_s: float = DELAY_S) -> None:
        self.trouble = ""
        self._delay_s = delay_s
        self._touched: set[Recorder] = set()
        self._alive: set[Recorder] = set()
        self._closed = False
        self._wake = Condition()
        self._thread = Thread(target=self._work, name="napari-brats journal", daemon=True)
        self._thread.start()

    def touch(self, recorder: Recorder) -> None:
        """Note that a mask may have changed; takes microseconds."""
        with self._wake:
            self._touched.add(recorder)
            self._alive.add(recorder)
            self._wake.notify()

    def forget(self, recorder: Recorder) -> None:
        """Serve a recorder no longer."""
        with self._wake:
            self._touched.discard(recorder)
            self._alive.discard(recorder)

    def close(self) -> None:
        """Write what is due and stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        beat = monotonic()
        closed = False
        while not closed:
            with self._wake:
                self._wake.wait_for(lambda: self._touched or self._closed, HEARTBEAT_S)
                self._wake.wait_for(lambda: self._closed, self._delay_s)
                touched, closed = set(self._touched), self._closed
                self._touched.clear()
                alive = set(self._alive)
            for recorder in touched:
                self._write(recorder)
            if monotonic() - beat >= HEARTBEAT_S:
                beat = monotonic()
                for recorder in alive:
                    self._write(recorder)  # what failed before may succeed now
                    recorder.touch()

    def _write(self, recorder: Recorder) -> None:
        try:
            recorder.record()
            self.trouble = ""
        except OutputError as error:
            self.trouble = str(error)
        except Exception as error:  # whatever it is, the other masks still need this thread
            self.trouble = f"edits are not kept: {error!r}; save the mask and report this"
