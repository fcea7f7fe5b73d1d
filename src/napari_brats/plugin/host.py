"""What the readers ask of the program they run in; napari's side puts itself here.

Without a host (npe2 on its own, a script) the defaults hold.
"""

from typing import Protocol


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
