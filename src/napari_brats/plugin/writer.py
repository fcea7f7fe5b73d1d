"""Save a labels layer as a mask on its patient's own grid."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Segmentation, save_segmentation
from napari_brats.errors import CaseError, LabelError
from napari_brats.plugin.host import on_written
from napari_brats.plugin.tags import DIFFERENCE, PREVIEW, LayerTag, tag_of
from napari_brats.regions import Tissue, label_convention


def write_labels(path: str, data: NDArray[Any], attributes: Mapping[str, Any]) -> list[str]:
    """Write a labels layer (npe2 writer of one layer).

    Parameters
    ----------
    path : str
        File to write, ``.nii.gz``; never a source file of the patient.
    data : NDArray of integers
        `Tissue` codes in display order.
    attributes : Mapping[str, Any]
        The layer's attributes; its metadata says which patient it belongs to.

    Returns
    -------
    list of str
        The path that was written.

    Raises
    ------
    CaseError
        If the layer belongs to no patient or does not lie on the patient's grid.
    """
    tag = tag_of(attributes.get("metadata", {}))
    if tag is None:
        name = attributes.get("name", "")
        raise CaseError(
            f"the layer {name!r} belongs to no BraTS patient, so its grid is unknown; open the "
            "patient and choose the layer under Mask in Layers > Segment > BraTS"
        )
    written = save_segmentation(segmentation_from(tag, data), Path(path))
    for listener in list(on_written):
        listener(written, data)
    return [str(written)]


def segmentation_from(tag: LayerTag, data: NDArray[Any]) -> Segmentation:
    """Turn a layer's array back into a mask on the file's grid.

    Parameters
    ----------
    tag : LayerTag
        The layer's origin.
    data : NDArray of integers
        `Tissue` codes in display order.

    Returns
    -------
    Segmentation
        (X, Y, Z) in the file's own order; a copy, safe to save in another thread.

    Raises
    ------
    CaseError
        If it is a preview or a difference, or its shape is not the patient's.
    LabelError
        If a label is no tissue.
    """
    if tag.role == PREVIEW:
        raise CaseError(
            f"this layer only shows what a tool would change in a mask of {tag.case_id!r}; "
            "press Apply, then save the mask"
        )
    if tag.role == DIFFERENCE:
        raise CaseError(
            f"this layer shows where two masks of {tag.case_id!r} disagree and is no mask; "
            "choose the mask itself and save that"
        )
    if data.shape != tag.display.display_shape:
        raise CaseError(
            f"the mask has {data.shape} voxels and {tag.case_id!r} has "
            f"{tag.display.display_shape}; save a mask that lies on the patient's grid"
        )
    highest = int(data.max(initial=0))
    if highest >= len(Tissue) or int(data.min(initial=0)) < 0:
        raise LabelError(
            f"the mask holds label {highest}, but tissues are 0 to {len(Tissue) - 1}; "
            "repaint these voxels with a tissue"
        )
    return Segmentation(
        case_id=tag.case_id,
        tissues=tag.display.to_file(data).astype(np.uint8),
        affine=tag.display.affine,
        convention=label_convention(tag.convention),
        source=tag.sources[0],
        protected=tag.sources,
    )
