"""Options that make the networks narrow, for every test that runs them."""

from typing import Any

_LEVELS = {"dr_unet104": 6}
"""Networks that take a width for each of so many levels; the others take one."""


def narrow_options(name: str, width: int = 2) -> dict[str, Any]:
    """Return the options that make a network this wide, as a card holds them."""
    return {"widths": [width] * _LEVELS[name]} if name in _LEVELS else {"width": width}
