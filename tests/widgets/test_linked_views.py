"""Twins, the linked cursor, crosshair, difference layer and outlines: all without a window."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_brats.plugin.differences import difference_codes
from napari_brats.plugin.tags import tag_of
from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.widgets.centering import show_place
from napari_brats.widgets.crosshair import Crosshair, cross_lines, place_on_canvas
from napari_brats.widgets.difference_layer import DifferenceLayer
from napari_brats.widgets.edits import LayerEdits
from napari_brats.widgets.linking import Linking
from napari_brats.widgets.live_scores import LiveScores
from napari_brats.widgets.mask_book import MaskBook
from napari_brats.widgets.mirrors import Mirror, can_mirror
from napari_brats.widgets.outlines import Outlines
from napari_brats.widgets.paint_keys import OUTLINES_KEY
from napari_brats.widgets.painter import Painter
from napari_brats.widgets.strokes import narrow_strokes

CORONAL, SAGITTAL = (1, 0, 2), (2, 0, 1)


@pytest.fixture
def mask(case, show_case, add_mask):
    """Return a copy of the reference as a mask, in a viewer with its patient."""
    show_case(case)
    return add_mask(case, case.reference.copy())


@pytest.fixture
def other_view():
    """Return a function that makes the model of another canvas along a plane."""
    from napari.components import ViewerModel

    def make(order, *layers):
        view = ViewerModel()
        for layer in layers:
            view.add_layer(layer)
        view.dims.order = order
        return view

    return make


@pytest.fixture
def twin(viewer, mask, other_view):
    """Return the mask's twin on a coronal canvas, through the middle of the tumor."""
    mirror = Mirror(mask, lambda: viewer.dims.point)
    view = other_view(CORONAL, mirror.twin)
    middle = np.median(np.nonzero(mask.data), axis=1)
    viewer.dims.point = view.dims.point = tuple(mask.data_to_world(middle))
    yield mirror.twin
    mirror.close()


def middle_of(mask):
    return tuple(np.median(np.nonzero(mask.data), axis=1).astype(int).tolist())


def test_a_stroke_on_the_twin_is_one_of_the_mask(mask, twin, later):
    """Voxels, history and scores are the mask's; the stroke lies in the coronal plane."""
    before = mask.data.copy()
    edits = LayerEdits(mask, later)
    scores = LiveScores(mask.data, before, 0.001)
    edits.on_paint.append(lambda atoms: scores.paint(atoms, mask.data))
    place = middle_of(mask)
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


def test_the_rules_hold_on_the_twin(mask, twin):
    """What a stroke may change is decided where the mask decides it."""
    painter = Painter()
    painter.begin(LABEL_CONVENTIONS["brats2017-2021"])
    painter.choose(next(row for row in painter.region_rows if row.name == "TC"))
    before = mask.data.copy()
    narrow_strokes(mask, painter.narrow)
    twin.brush_size = 30
    twin.paint(middle_of(mask), int(painter.brush.becomes))
    changed = mask.data != before
    assert changed.any()
    assert set(before[changed]) == {Tissue.EDEMA}
    assert set(mask.data[changed]) == {Tissue.NECROSIS}


def test_both_draw_what_changed(mask, twin):
    """The twin draws a stroke on the mask at once, an undo too, and no change of slice."""
    told = []
    twin.events.labels_update.connect(lambda event: told.append("part"))
    twin.events.set_data.connect(lambda event: told.append("all"))
    mask.brush_size = 5
    mask.paint(middle_of(mask), int(Tissue.CAVITY))
    assert told == ["part"]
    y = middle_of(mask)[1]
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
def test_wide_labels_are_drawn_too(viewer, mask, other_view):
    """napari keeps colors of its own for labels of 32 bits; the twin's are brought up to date."""
    wide = viewer.add_labels(mask.data.astype(np.int32))
    mirror = Mirror(wide, lambda: viewer.dims.point)
    other_view(CORONAL, mirror.twin).dims.point = tuple(wide.data_to_world(middle_of(wide)))
    wide.brush_size = 5
    wide.n_edit_dimensions = 3
    wide.paint(middle_of(wide), int(Tissue.CAVITY))
    drawn = mirror.twin.colormap._data_to_texture(wide.data[:, middle_of(mask)[1]])
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


@pytest.fixture
def linked(viewer, mask, other_view):
    """Return a function that links canvases along planes with the viewer's own."""
    made = []

    def link(*orders):
        mirrors = [Mirror(mask, lambda: viewer.dims.point) for _ in orders]
        views = [
            other_view(order, mirror.twin) for order, mirror in zip(orders, mirrors, strict=True)
        ]
        viewer.reset_view()
        linking = Linking(viewer, views)
        made.extend(mirrors)
        return linking, views

    yield link
    for mirror in made:
        mirror.close()


def test_one_cursor(viewer, mask, linked):
    """Each canvas stands on the cursor's slice; any slider moves it; planes are cut when due."""
    linking, (coronal, sagittal) = linked(CORONAL, SAGITTAL)
    place = tuple(mask.data_to_world(middle_of(mask)))
    linking.move(place)
    canvases = {0: viewer, 1: coronal, 2: sagittal}
    assert [view.dims.point[axis] for axis, view in canvases.items()] == pytest.approx(place)
    cut = []
    for view in (viewer, sagittal):
        view.layers[-1].events.set_data.connect(lambda event: cut.append(event.source))
    coronal.dims.set_point(1, place[1] + 2)
    assert linking.cursor == pytest.approx((place[0], place[1] + 2, place[2]))
    assert cut == []
    linking.move((place[0] + 1, *place[1:]))
    assert cut == [viewer.layers[-1]]


def test_one_zoom_and_center(viewer, mask, linked):
    """Zoom and pan of any canvas hold in all, relative to its size; closed, each is alone."""
    linking, views = linked(CORONAL, SAGITTAL)
    zooms = [view.scene.camera.zoom for view in (viewer, *views)]
    views[1].scene.camera.zoom *= 2
    assert [view.scene.camera.zoom for view in (viewer, *views)] == pytest.approx(
        [2 * zoom for zoom in zooms]
    )
    center = views[1].scene.camera.center
    viewer.scene.camera.center = (0, center[-1], 3)
    assert views[0].scene.camera.center[-1] == pytest.approx(3)
    assert views[1].scene.camera.center == pytest.approx(center)
    views[0].canvas.size = (400, 300)
    assert views[0].scene.camera.zoom == pytest.approx(zooms[1])
    viewer.reset_view()
    assert [view.scene.camera.zoom for view in views] == pytest.approx(
        [zooms[1] / 2, zooms[2]], rel=1e-3
    )
    linking.close()
    views[0].scene.camera.zoom *= 3
    assert viewer.scene.camera.zoom == pytest.approx(zooms[0], rel=1e-3)


def test_show_place_centers_every_canvas(viewer, mask, linked):
    """The slice and the middle of each canvas are the place, and the zoom is as it was."""
    corner = tuple(mask.data_to_world((1, 2, 3)))
    show_place(viewer, corner)
    assert viewer.dims.point == pytest.approx(corner)
    linking, (view,) = linked(SAGITTAL)
    assert linking.cursor == pytest.approx(corner)
    place = tuple(mask.data_to_world((4, 5, 6)))
    zoom = view.scene.camera.zoom
    show_place(viewer, place)
    for canvas in (viewer, view):
        middle = np.divide(canvas.canvas.size, 2)
        assert place_on_canvas(canvas, place) == pytest.approx(middle)
    assert (viewer.dims.point[0], view.dims.point[2]) == pytest.approx((place[0], place[2]))
    assert view.scene.camera.zoom == pytest.approx(zoom)


@pytest.mark.slow
def test_a_place_out_of_sight_is_centered(viewer, mask, linked):
    """Zoomed in, the canvases follow the cursor only where it leaves them."""
    linking, _ = linked(SAGITTAL)
    place = tuple(mask.data_to_world(middle_of(mask)))
    show_place(viewer, place)
    viewer.scene.camera.zoom *= 20
    center = viewer.scene.camera.center
    linking.move((place[0], place[1] + 0.1, place[2]))
    assert viewer.scene.camera.center == center
    far = (place[0], place[1] + 8, place[2])
    linking.move(far)
    assert viewer.scene.camera.center[-2:] == pytest.approx(far[1:])


@pytest.mark.slow
@pytest.mark.parametrize("shift", [False, True])
def test_click_and_shift_move_the_cursor(viewer, mask, linked, shift):
    """A click without a drag does with no tool in hand; Shift and a move do in any case."""
    linking, _ = linked()
    z, y, x = mask.data_to_world((4, 5, 6))
    before = list(linking.cursor)
    event = SimpleNamespace(type="mouse_press", button=1, position=(z, y, x), modifiers=())

    def press(*then):
        event.type = "mouse_press"
        going = linking._on_drag(viewer, event)
        next(going)
        for kind in (*then, "mouse_release"):
            event.type = kind
            next(going, None)

    if shift:
        mask.mode = "paint"
        linking._on_move(viewer, event)
        assert linking.cursor == before
        event.modifiers = ("Shift",)
        linking._on_move(viewer, event)
    else:
        press("mouse_move")
        assert linking.cursor == before
        mask.mode = "paint"
        press()
        assert linking.cursor == before
        mask.mode = "pan_zoom"
        press()
    assert linking.cursor == pytest.approx((before[0], y, x))


def test_the_crosshair_leaves_its_place_free(viewer, mask):
    """Four lines to the edges with a gap; none where there is nothing to see, or in 3D."""
    lines = cross_lines((100.0, 50.0), (300, 200))
    assert lines["up"] == ((0, 50.0), (88.0, 50.0))
    assert lines["right"] == ((100.0, 62.0), (100.0, 200))
    assert set(cross_lines((-20.0, 50.0), (300, 200))) == {"down"}
    assert cross_lines((-20.0, -20.0), (300, 200)) == {}
    crosshair = Crosshair(viewer)
    place = tuple(mask.data_to_world((4, 5, 6)))
    show_place(viewer, place)
    crosshair.show(place)
    overlay = viewer.canvas.overlays["brats_cross_up"]
    assert overlay.visible
    assert overlay.position[1][1] == pytest.approx(viewer.canvas.size[1] / 2)
    viewer.dims.ndisplay = 3
    assert not overlay.visible
    crosshair.close()
    assert "brats_cross_up" not in viewer.canvas.overlays


def test_the_difference_layer_follows_the_mask(qapp, viewer, case, mask, later):
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
    mask.paint(middle_of(mask), 0)
    assert right()
    assert layer.data.any()
    mask.fill(middle_of(mask), int(Tissue.CAVITY))
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
