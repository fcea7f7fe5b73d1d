"""Who holds a file, and whether that one still lives."""

import os
import secrets
import socket
import time
from dataclasses import dataclass, field

SILENCE_S = 600.0
"""After so long without a sign of life, a process on another machine counts as gone."""

HEARTBEAT_S = 60.0
"""How often a holder touches its files."""

_CLOCK_ERROR_S = 60.0
_here: set[str] = set()
"""Tokens of this process's own holders that have not let go."""


@dataclass(frozen=True)
class Owner:
    """One holder of a file.

    Parameters
    ----------
    host : str
        Name of the machine.
    process : int
        Its number there.
    started : float
        When the process began, seconds since the epoch: numbers are used again.
    token : str
        Tells the holders of one process apart.
    """

    host: str
    process: int
    started: float
    token: str = field(default_factory=lambda: secrets.token_hex(6))

    @classmethod
    def new(cls) -> "Owner":
        """Return a holder of this process that lives until `release`."""
        import psutil  # type: ignore[import-untyped]  # ships no types

        owner = cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())
        _here.add(owner.token)
        return owner

    def release(self) -> None:
        """Let go."""
        _here.discard(self.token)

    def lives(self, touched: float) -> bool:
        """Return whether the holder may still be at work.

        Parameters
        ----------
        touched : float
            When its file was last touched, seconds since the epoch: all that is known of
            another machine.
        """
        import psutil

        if self.host != socket.gethostname():
            return time.time() - touched < SILENCE_S
        if self.process == os.getpid():
            return self.token in _here
        try:
            started: float = psutil.Process(self.process).create_time()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return abs(started - self.started) < _CLOCK_ERROR_S
