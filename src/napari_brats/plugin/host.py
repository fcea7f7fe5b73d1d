"""What readers and writer have to do with the program they run in; napari's side comes here.

Without a host (npe2 on its own, a script) the defaults hold.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

on_written: list[Callable[[Path, NDArray[Any]], None]] = []
"""Called with the file and the layer's own array when napari's File > Save has written a mask."""


class Host(Protocol):
    """The program that shows the layers."""

    def view_convention(self) -> str:
        """Return the row of `VIEW_CONVENTIONS` that the person chose."""
        ...

    def before_reading(self) -> None:
        """Get ready for our layers, e.g. to protect references."""
        ...


class NoHost:
    """Defaults where nobody listens."""

    def view_convention(self) -> str:
        """Return the radiological convention."""
        return "radiological"

    def before_reading(self) -> None:
        """Do nothing."""


_hosts: list[Host] = [NoHost()]


def current_host() -> Host:
    """Return the host that was set last."""
    return _hosts[-1]


def set_host(host: Host) -> None:
    """Make a program the host of all later readings."""
    _hosts[:] = [host]
