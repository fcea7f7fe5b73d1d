"""What of a viewer a whole-volume tool may use together with a mask."""

from typing import TYPE_CHECKING, Any

from napari_brats.editing.brushes import Brush, region_brushes, tissue_brushes
from napari_brats.plugin.tags import IMAGE, tag_of
from napari_brats.regions import label_convention
from napari_brats.widgets.mask_book import MaskBook, mask_tag

if TYPE_CHECKING:
    from napari.components import ViewerModel


def brushes_of(mask: Any) -> tuple[Brush, ...]:
    """Return the regions, then the tissues, of a mask's edition."""
    convention = label_convention(mask_tag(mask).convention)
    return (*region_brushes(convention), *tissue_brushes(convention))


def others_of(book: MaskBook, mask: Any) -> list[Any]:
    """Return the reference, then the other masks, on a mask's grid."""
    reference = book.reference_of(mask)
    others = [other for other in book.masks() if other is not mask and _fits(other, mask)]
    return [*([] if reference is None else [reference]), *others]


def images_of(viewer: "ViewerModel", mask: Any) -> dict[str, Any]:
    """Return the image layers of a mask's patient by title."""
    found = {}
    for layer in viewer.layers:
        tag = tag_of(layer.metadata)
        if tag is not None and tag.role == IMAGE and _fits(layer, mask):
            found[tag.title] = layer
    return found


def slice_axis(viewer: "ViewerModel", mask: Any) -> int:
    """Return a mask's axis across the slices at hand; the first in 3D."""
    hidden = viewer.dims.not_displayed
    return max(0, int(hidden[-1]) - viewer.dims.ndim + mask.ndim) if hidden else 0


def _fits(layer: Any, mask: Any) -> bool:
    """Return whether a layer has the same patient and the same voxels in the same order."""
    tag, mine = tag_of(layer.metadata), mask_tag(mask)
    return (
        tag is not None
        and tag.sources == mine.sources
        and tag.display.directions == mine.display.directions
        and layer.data.shape == mask.data.shape
    )
