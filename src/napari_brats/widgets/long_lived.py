"""Keep full garbage collections short while a patient is looked at.

They scan every object of napari, Qt, pandas and torch: 105 ms each in a plain napari, 180 ms
with torch (measured), all of it a frozen window. napari runs one whenever a layer is removed,
and Python itself now and then. What is alive before the first patient lives as long as the
window, so it need not be scanned.
"""

import gc


def set_aside(*, collect: bool = True) -> None:
    """Take all objects alive now out of later collections.

    Parameters
    ----------
    collect : bool
        Whether to collect what is garbage first. Without it the call takes no time.
    """
    if collect:
        gc.collect()
    gc.freeze()


def take_back() -> None:
    """Let them be collected again, so that a closed window is freed."""
    gc.unfreeze()
