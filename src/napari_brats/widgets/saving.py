"""Save a mask in the background, whole or not at all."""

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import save_segmentation
from napari_brats.errors import OutputError, TakenError
from napari_brats.plugin.masks import mask_path, results_folder, stamp_of, untouched_path
from napari_brats.plugin.tags import LayerTag
from napari_brats.plugin.writer import segmentation_from


def default_path(tag: LayerTag) -> Path:
    """Return where Save writes: the mask's own file, else a new one beside the patient."""
    return own_path(tag) or mask_path(tag.sources[0], tag.case_id, tag.title)


def own_path(tag: LayerTag) -> Path | None:
    """Return the mask's own file, None where somebody else has written it meanwhile."""
    if tag.path is None or tag.stamp is None:
        return tag.path
    return tag.path if stamp_of(tag.path) in (tag.stamp, None) else None


def save_mask(tag: LayerTag, data: NDArray[Any], path: Path | None = None) -> Path:
    """Write a mask on its patient's grid.

    Parameters
    ----------
    tag : LayerTag
        The mask's origin.
    data : NDArray of integers
        `Tissue` codes in display order.
    path : Path, optional
        File to write, never a source file. By default the mask's own, unless somebody else
        has written it since it was read or saved here; else a new one beside the patient,
        which replaces no other, not even one that comes at the same moment.

    Returns
    -------
    Path
        The file that was written.
    """
    segmentation = segmentation_from(tag, data)
    own = path or own_path(tag)
    if own is not None:
        return save_segmentation(segmentation, own)
    while True:
        try:
            new = default_path(tag)
            return save_segmentation(segmentation, new, replace=False)
        except TakenError:
            continue


def keep_untouched(
    tag: LayerTag, data: NDArray[Any], origin: NDArray[np.uint8] | None, path: Path
) -> None:
    """Keep a mask as it came beside the corrected one, the first time that it was corrected.

    Parameters
    ----------
    tag : LayerTag
        The mask's origin.
    data : NDArray of integers
        What was saved, in display order.
    origin : NDArray[np.uint8] or None
        The mask as it came, in display order.
    path : Path
        The file that was written; nothing is kept for one outside of its patient's folder.
    """
    target = untouched_path(path)
    if origin is None or not origin.any() or path.parent != results_folder(tag.sources[0]):
        return
    if target.exists() or np.array_equal(origin, data):
        return
    # The mask is saved. Without this copy, comparisons begin with what is opened next time.
    with suppress(OutputError):
        save_segmentation(segmentation_from(tag, origin), target, replace=False)


class Saving:
    """One save of a mask, done once: in a thread, or at once by who cannot wait for that thread.

    Parameters
    ----------
    tag : LayerTag
        The mask's origin.
    snapshot : NDArray of integers
        A copy of its voxels that no later stroke touches.
    path : Path or None
        As `save_mask` takes it.
    origin : NDArray[np.uint8] or None
        As `keep_untouched` takes it.
    """

    def __init__(
        self,
        tag: LayerTag,
        snapshot: NDArray[Any],
        path: Path | None,
        origin: NDArray[np.uint8] | None = None,
    ) -> None:
        self._tag, self._snapshot, self._path, self._origin = tag, snapshot, path, origin
        self._written: Path | None = None
        self._lock = Lock()

    def work(self) -> Generator[None, None, Path]:
        """Do it as a `Task`."""
        yield
        return self.finish()

    def finish(self) -> Path:
        """Return the file that was written; who comes second waits for the first."""
        with self._lock:
            if self._written is None:
                self._written = save_mask(self._tag, self._snapshot, self._path)
                keep_untouched(self._tag, self._snapshot, self._origin, self._written)
            return self._written
