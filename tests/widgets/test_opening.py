"""What is read of a patient for the window."""

import os

from napari_brats.case import save_segmentation, segmentation_of
from napari_brats.naming import recognize
from napari_brats.plugin.masks import mask_path, read_mask
from napari_brats.plugin.tags import MASK, tag_of
from napari_brats.widgets import opening
from napari_brats.widgets.opening import PatientRow, read_layers
from napari_brats.widgets.saving import own_path


def test_a_mask_that_somebody_saves_while_it_is_read(case, monkeypatch):
    """What is shown is not what lies there: saving will not replace it."""
    image = next(iter(case.image_paths.values()))
    path = mask_path(image, case.case_id, "net")
    save_segmentation(segmentation_of(case, case.reference), path)

    def read(path, case):
        tissues = read_mask(path, case)
        os.utime(path, (1, 1))
        return tissues

    monkeypatch.setattr(opening, "read_mask", read)
    rows = PatientRow(recognize(image), segmented=True)
    tags = [tag_of(one.data[1]["metadata"]) for one in read_layers(rows, "radiological")]
    (tag,) = (tag for tag in tags if tag.role == MASK)
    assert tag.path == path
    assert own_path(tag) is None
