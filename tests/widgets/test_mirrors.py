"""Twins of layers on further canvases: one mask, one history, drawn along another plane."""

import numpy as np
import pytest

from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.widgets.edits import LayerEdits
from napari_brats.widgets.live_scores import LiveScores
from napari_brats.widgets.mirrors import Mirror, can_mirror
from napari_brats.widgets.painter import Painter
from napari_brats.widgets.strokes import narrow_strokes

CORONAL, SAGITTAL = (1, 0, 2), (2, 0, 1)


@pytest.fixture
def twin(viewer, mask, other_view):
    """Return the mask's twin on a coronal canvas, through the middle of the tumor."""
    mirror = Mirror(mask, lambda: viewer.dims.point)
    view = other_view(CORONAL, mirror.twin)
    middle = np.median(np.nonzero(mask.data), axis=1)
    viewer.dims.point = view.dims.point = tuple(mask.data_to_world(middle))
    yield mirror.twin
    mirror.close()


def test_a_stroke_on_the_twin_is_one_of_the_mask(mask, twin, later, middle):
    """Voxels, history and scores are the mask's; the stroke lies in the coronal plane."""
    before = mask.data.copy()
    edits = LayerEdits(mask, later)
    scores = LiveScores(mask.data, before, 0.001)
    edits.on_paint.append(lambda atoms: scores.paint(atoms, mask.data))
    place = middle
    twin.brush_size = 5
    twin.mode = "paint"
    with twin.block_history():
        twin._draw(Tissue.CAVITY, place, place)
        twin._draw(Tissue.CAVITY, place, (place[0] + 2, *place[1:]))
    changed = np.argwhere(mask.data != before)
    assert len(changed) > 20
    assert set(changed[:, 1]) == {place[1]}
    assert len(mask._undo_history) == 1
    assert not twin._undo_history
    assert scores.rows() == LiveScores(mask.data, before, 0.001).rows()
    assert edits.dirty
    after = mask.data.copy()
    twin.undo()
    np.testing.assert_array_equal(mask.data, before)
    twin.redo()
    np.testing.assert_array_equal(mask.data, after)
    edits.close()


def test_the_rules_hold_on_the_twin(mask, twin, middle):
    """What a stroke may change is decided where the mask decides it."""
    painter = Painter()
    painter.begin(LABEL_CONVENTIONS["brats2017-2021"])
    painter.choose(next(row for row in painter.region_rows if row.name == "TC"))
    before = mask.data.copy()
    narrow_strokes(mask, painter.narrow)
    twin.brush_size = 30
    twin.paint(middle, int(painter.brush.becomes))
    changed = mask.data != before
    assert changed.any()
    assert set(before[changed]) == {Tissue.EDEMA}
    assert set(mask.data[changed]) == {Tissue.NECROSIS}


def test_both_draw_what_changed(mask, twin, middle):
    """The twin draws a stroke on the mask at once, an undo too, and no change of slice."""
    told = []
    twin.events.labels_update.connect(lambda event: told.append("part"))
    twin.events.set_data.connect(lambda event: told.append("all"))
    mask.brush_size = 5
    mask.paint(middle, int(Tissue.CAVITY))
    assert told == ["part"]
    y = middle[1]
    drawn = twin.colormap._data_to_texture(mask.data[:, y])
    np.testing.assert_array_equal(twin._slice.image.view, drawn)
    mask.undo()
    assert told == ["part", "all"]
    mask.refresh()
    assert told == ["part", "all", "all"]
    away = np.argwhere(mask.data == 0)[0]
    mask.paint(tuple(away), int(Tissue.CAVITY))
    assert told == ["part", "all", "all"]  # the coronal slice at hand is another


@pytest.mark.slow
def test_wide_labels_are_drawn_too(viewer, mask, other_view, middle):
    """napari keeps colors of its own for labels of 32 bits; the twin's are brought up to date."""
    wide = viewer.add_labels(mask.data.astype(np.int32))
    mirror = Mirror(wide, lambda: viewer.dims.point)
    other_view(CORONAL, mirror.twin).dims.point = tuple(wide.data_to_world(middle))
    wide.brush_size = 5
    wide.n_edit_dimensions = 3
    wide.paint(middle, int(Tissue.CAVITY))
    drawn = mirror.twin.colormap._data_to_texture(wide.data[:, middle[1]])
    np.testing.assert_array_equal(mirror.twin._slice.image.view, drawn)
    mirror.close()


@pytest.mark.slow
def test_a_look_follows_both_ways(mask, twin):
    """Tools and looks chosen on either side hold on both; a closed mirror follows no more."""
    mask.mode = "paint"
    mask.contour = 1
    mask.brush_size = 7
    assert (twin.mode, twin.contour, twin.brush_size) == ("paint", 1, 7)
    twin.selected_label = 2
    twin.visible = False
    assert (mask.selected_label, mask.visible) == (2, False)
    mask.visible = True
    mask.mode = "transform"
    assert twin.mode == "pan_zoom"


@pytest.mark.slow
def test_new_voxels_and_patients_reach_the_twin(viewer, mask, twin):
    """Assigned data are shared too, and whose they are."""
    mask.metadata = {"brats": None}
    mask.data = np.zeros((4, 5, 6), np.uint8)
    assert twin.data is mask.data
    assert twin.metadata == {"brats": None}
    image = viewer.layers[0]
    mirror = Mirror(image, lambda: viewer.dims.point, shown=True)
    assert mirror.twin.data is image.data
    assert mirror.twin.visible
    image.contrast_limits = (0.25, 0.5)
    image.visible = False
    assert tuple(mirror.twin.contrast_limits) == (0.25, 0.5)
    assert mirror.twin.visible
    mirror.close()
    image.gamma = 0.5
    assert mirror.twin.gamma == 1


@pytest.mark.slow
def test_what_has_no_twin(viewer):
    """Points, colors and series stay in the main canvas."""
    assert not can_mirror(viewer.add_points([[1, 2, 3]]))
    assert not can_mirror(viewer.add_image(np.zeros((4, 4, 4, 3)), rgb=True))
    assert not can_mirror(viewer.add_labels(np.zeros((2, 2, 2, 2), int)))
