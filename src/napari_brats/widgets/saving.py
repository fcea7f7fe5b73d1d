"""Save a mask in the background, whole or not at all."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_brats.case import save_segmentation
from napari_brats.errors import TakenError
from napari_brats.plugin.masks import mask_path
from napari_brats.plugin.tags import LayerTag
from napari_brats.plugin.writer import segmentation_from


def default_path(tag: LayerTag) -> Path:
    """Return where Save writes: the mask's own file, else a new one beside the patient."""
    return tag.path or mask_path(tag.sources[0], tag.case_id, tag.title)


def save_mask(tag: LayerTag, data: NDArray[Any], path: Path | None = None) -> Path:
    """Write a mask on its patient's grid.

    Parameters
    ----------
    tag : LayerTag
        The mask's origin.
    data : NDArray of integers
        `Tissue` codes in display order.
    path : Path, optional
        File to write, never a source file. By default the mask's own, else a new one beside
        the patient, which replaces no other, not even one that comes at the same moment.

    Returns
    -------
    Path
        The file that was written.
    """
    segmentation = segmentation_from(tag, data)
    own = path or tag.path
    if own is not None:
        return save_segmentation(segmentation, own)
    while True:
        try:
            new = default_path(tag)
            return save_segmentation(segmentation, new, replace=False)
        except TakenError:
            continue


def saving(tag: LayerTag, snapshot: NDArray[Any], path: Path | None) -> Generator[None, None, Path]:
    """Do `save_mask` as a generator; the snapshot is a copy that no later stroke touches."""
    yield
    return save_mask(tag, snapshot, path)
