"""The difference layer and outlines, without a window."""

import numpy as np
import pytest

from napari_brats.plugin.differences import difference_codes
from napari_brats.plugin.tags import tag_of
from napari_brats.regions import Tissue
from napari_brats.widgets.difference_layer import DifferenceLayer
from napari_brats.widgets.mask_book import MaskBook
from napari_brats.widgets.outlines import Outlines
from napari_brats.widgets.paint_keys import OUTLINES_KEY


def test_the_difference_layer_follows_the_mask(qapp, viewer, case, mask, later, middle):
    """Strokes, undo and direct writes; it is no mask, cannot be painted, and goes with one."""
    gone = []
    book = MaskBook(viewer, later)
    difference = DifferenceLayer(viewer, book, lambda: gone.append(True))
    reference = book.reference_of(mask)
    active = viewer.layers.selection.active
    difference.show(mask, reference, "")
    layer = difference.layer
    assert not layer.data.any()
    assert viewer.layers.selection.active is active
    assert tag_of(layer.metadata).role == "difference"
    assert (layer.editable, book.masks()) == (False, [mask])

    def right():
        later.turn()
        difference.catch_up()
        return np.array_equal(layer.data, difference_codes(mask.data, reference.data))

    mask.brush_size = 6
    mask.paint(middle, 0)
    assert right()
    assert layer.data.any()
    mask.fill(middle, int(Tissue.CAVITY))
    assert right()
    mask.data_setitem(np.nonzero(mask.data == Tissue.EDEMA), 0)
    assert right()
    mask.undo()
    later.turn()
    assert right()
    mask.data[2, 2, :] = Tissue.ENHANCING
    mask.refresh()
    later.turn()
    assert right()
    difference.show(mask, reference, "ET")
    np.testing.assert_array_equal(layer.data, difference_codes(mask.data, reference.data, "ET"))
    viewer.layers.remove(mask)
    assert (layer in viewer.layers, gone) == (False, [])
    difference.close()
    book.close()


@pytest.mark.slow
def test_a_person_may_take_the_difference_away(qapp, viewer, mask, later):
    """The switch is told, and the mask is followed no more."""
    gone = []
    book = MaskBook(viewer, later)
    difference = DifferenceLayer(viewer, book, lambda: gone.append(True))
    difference.show(mask, book.reference_of(mask), "")
    viewer.layers.remove(difference.layer)
    assert (gone, difference.layer) == ([True], None)
    assert not book.edits(mask).on_paint
    difference.close()
    book.close()


@pytest.mark.slow
def test_outlines_by_key(viewer, mask, case, add_mask):
    """One key for all masks and references, those that come later too; images stay."""
    told = []
    outlines = Outlines(viewer, told.append)
    (toggle,) = viewer.keymap.values()
    toggle(viewer)
    assert (mask.contour, outlines.on, told) == (1, True, [True])
    assert add_mask(case, title="second").contour == 1
    toggle(viewer)
    assert (mask.contour, viewer.layers[4].contour, told) == (0, 0, [True, False])
    outlines.close()
    assert OUTLINES_KEY not in {str(key) for key in viewer.keymap}
