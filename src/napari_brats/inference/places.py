"""Where what can be made again is kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of caches: ``NAPARI_BRATS_CACHE``, or one in the user's cache."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("NAPARI_BRATS_CACHE") or user_cache_path("napari-brats"))
