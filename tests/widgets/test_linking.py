"""One cursor, one zoom and center for all canvases, and the crosshair, without a window."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_brats.widgets.centering import show_place
from napari_brats.widgets.crosshair import Crosshair, cross_lines, place_on_canvas
from napari_brats.widgets.linking import Linking
from napari_brats.widgets.mirrors import Mirror

CORONAL, SAGITTAL = (1, 0, 2), (2, 0, 1)


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


def test_one_cursor(viewer, mask, linked, middle):
    """Each canvas stands on the cursor's slice; any slider moves it; planes are cut when due."""
    linking, (coronal, sagittal) = linked(CORONAL, SAGITTAL)
    place = tuple(mask.data_to_world(middle))
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
def test_a_place_out_of_sight_is_centered(viewer, mask, linked, middle):
    """Zoomed in, the canvases follow the cursor only where it leaves them."""
    linking, _ = linked(SAGITTAL)
    place = tuple(mask.data_to_world(middle))
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


def test_linked_before_there_is_a_patient(viewer, case, show_case, other_view):
    """Canvases that were linked empty follow the patient who comes."""
    sagittal = other_view((0, 1))
    linking = Linking(viewer, [sagittal])
    show_case(case)
    sagittal.add_image(viewer.layers[0].data, scale=viewer.layers[0].scale)
    sagittal.dims.order = SAGITTAL
    linking.fit()
    place = tuple(viewer.layers[0].data_to_world((4, 5, 6)))
    linking.move(place)
    assert (viewer.dims.point[0], sagittal.dims.point[2]) == pytest.approx((place[0], place[2]))
    linking.close()
    assert viewer.dims.point == pytest.approx(place)
