"""Where what can be made again is kept."""

import os
import shutil
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of caches: ``NAPARI_BRATS_CACHE``, or one in the user's cache."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("NAPARI_BRATS_CACHE") or user_cache_path("napari-brats"))


def touch(entry: Path) -> None:
    """Note that something kept was used, for `make_room`."""
    try:
        os.utime(entry)
    except OSError:
        return  # a cache that cannot be written is still read


def make_room(folder: Path, most_bytes: int) -> None:
    """Remove what was not used for longest until no more than some bytes are kept.

    Parameters
    ----------
    folder : Path
        Each folder in it is one thing that was kept; the newest always stays.
    most_bytes : int
    """
    entries = sorted(
        ((entry.stat().st_mtime, entry) for entry in folder.iterdir() if entry.is_dir()),
        reverse=True,
    )
    total = 0
    for number, (_, entry) in enumerate(entries):
        total += sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())
        if number and total > most_bytes:
            shutil.rmtree(entry, ignore_errors=True)
