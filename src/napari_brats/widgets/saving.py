"""Save a mask in the background, whole or not at all."""

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
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


def saving(
    tag: LayerTag,
    snapshot: NDArray[Any],
    path: Path | None,
    origin: NDArray[np.uint8] | None = None,
) -> Generator[None, None, Path]:
    """Do `save_mask` and `keep_untouched`; the snapshot is a copy that no later stroke touches."""
    yield
    written = save_mask(tag, snapshot, path)
    keep_untouched(tag, snapshot, origin, written)
    return written
