"""Opens and closes the further canvases, the difference layer and the outlines."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_brats.plugin.tags import DIFFERENCE, IMAGE, REFERENCE, tag_of
from napari_brats.widgets.centering import unwrapped
from napari_brats.widgets.difference_layer import DifferenceLayer
from napari_brats.widgets.linking import Linking
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.outlines import Outlines
from napari_brats.widgets.tool_layers import others_of
from napari_brats.widgets.views_dock import ViewsDock
from napari_brats.widgets.views_panel import PLANES, SOLID, TILES, ViewsPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_brats.widgets.canvas import Canvas
    from napari_brats.widgets.solid import SolidCanvas


DIFFERENCE_TITLE = "Difference: blue missed, pink too much"


class ViewsControl:
    """What the views panel switches.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The window's.
    book : MaskBook
        Knows the masks.
    panel : ViewsPanel
        The view.
    neighbor : QWidget
        Lies in the dock beside which the canvases go.
    show_place : callable
        Takes the place under the cursor as text.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        book: MaskBook,
        panel: ViewsPanel,
        neighbor: QWidget,
        show_place: Callable[[str], None],
    ) -> None:
        self._window, self._book, self._panel = viewer, book, panel
        self._viewer = unwrapped(viewer)
        self._neighbor, self._show_place = neighbor, show_place
        self._mask: Any = None
        self._dock: ViewsDock | None = None
        self.canvases: list[Canvas] = []
        self.solid: SolidCanvas | None = None
        self.linking: Linking | None = None
        self.difference = DifferenceLayer(self._viewer, book, self._on_difference_gone)
        self.outlines = Outlines(self._viewer, panel.outlines.setChecked)
        panel.view_toggled.connect(self._toggle)
        panel.outlines_toggled.connect(self.outlines.show)
        panel.difference_changed.connect(self._show_difference)
        layers = self._viewer.layers.events
        self._links = (
            (layers.inserted, self._list),
            (layers.removed, self._list),
            (self._viewer.dims.events.order, self._turn),
        )
        for signal, slot in self._links:
            signal.connect(slot)
        self._list()

    def close(self) -> None:
        """Close every view and let go of the viewer."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._close_canvases()
        self._close_solid()
        self._close_dock()
        self.outlines.close()
        self.difference.close()

    def choose(self, mask: Any) -> None:
        """Show the views of another mask, or of none."""
        self._mask = mask
        self._list()
        if self.solid is not None:
            self.solid.choose(mask)

    def update(self) -> None:
        """Name planes and fit the canvases anew, once all of a patient is there."""
        for canvas in self.canvases:
            canvas.name_plane()
        if self.linking is not None:
            self.linking.fit()

    def _list(self, event: Any = None) -> None:
        if event is not None and _is_difference(event.value):
            return
        mask = self._mask if self._mask in self._book.masks() else None
        self._panel.show_others([] if mask is None else others_of(self._book, mask))
        self._show_difference()

    def _show_difference(self) -> None:
        wanted = self._panel.difference.isChecked() or self._panel.views[TILES].isChecked()
        mask, other = self._mask, self._panel.other()
        if wanted and other is not None and mask in self._book.masks():
            self.difference.show(mask, other, self._panel.region())
            self.difference.layer.visible = self._panel.difference.isChecked()
        else:
            self.difference.clear()
        for canvas in self.canvases:
            canvas.follow()
        if self._panel.views[TILES].isChecked() and self.canvases and other is not None:
            is_reference = mask_tag(other).role == REFERENCE
            self.canvases[0].title = REFERENCE.capitalize() if is_reference else other.name
            self.canvases[0].name_plane()

    def _toggle(self, name: str, on: bool) -> None:
        if name == SOLID:
            self._close_solid()
            if on:
                self._open_solid()
        else:
            other = self._panel.views[PLANES if name == TILES else TILES]
            if on and other.isChecked():
                other.setChecked(False)
            self._close_canvases()
            self._show_difference()
            if on:
                self._open_canvases(name)
        if not self.canvases and self.solid is None:
            self._close_dock()

    def _open_canvases(self, name: str) -> None:
        from napari_brats.widgets.canvas import Canvas

        if name == PLANES:
            kinds = [("", _everything, _nothing)] * 2
        else:
            kinds = [
                (REFERENCE.capitalize(), self._is_other, self._is_other),
                (DIFFERENCE_TITLE, _is_difference, _is_difference),
            ]
        dock = self._open_dock()
        for title, shown, alone in kinds:
            shows = _everything if shown is _everything else partial(_image_or, shown)
            canvas = Canvas(self._viewer, shows, alone, self._show_place)
            canvas.title = title
            self.canvases.append(canvas)
            dock.add(canvas, len(self.canvases) - 1)
        self._turn()
        self.linking = Linking(self._viewer, [canvas.model for canvas in self.canvases])

    def _close_canvases(self) -> None:
        if self.linking is not None:
            self.linking.close()
        self.linking = None
        while self.canvases:
            self.canvases.pop().close_view()

    def _open_solid(self) -> None:
        from napari_brats.widgets.solid import SolidCanvas

        dock = self._open_dock()
        self.solid = SolidCanvas(self._viewer, self._book)
        dock.add(self.solid, len(self.canvases))
        self.solid.choose(self._mask if self._mask in self._book.masks() else None)

    def _close_solid(self) -> None:
        if self.solid is not None:
            self.solid.close_view()
        self.solid = None

    def _open_dock(self) -> ViewsDock:
        if self._dock is None:
            self._dock = ViewsDock(self._on_dock_closed)
            self._dock.open_beside(self._window, self._neighbor)
        return self._dock

    def _close_dock(self) -> None:
        dock, self._dock = self._dock, None
        if dock is not None:
            dock.close_dock()

    def _on_difference_gone(self) -> None:
        self._panel.difference.setChecked(False)
        self._panel.views[TILES].setChecked(False)

    def _on_dock_closed(self) -> None:
        for button in self._panel.views.values():
            button.setChecked(False)

    def _turn(self, event: Any = None) -> None:
        """Give the canvases the planes that the main canvas leaves, or its own to tiles."""
        order = [axis - self._viewer.dims.ndim + 3 for axis in self._viewer.dims.order[-3:]]
        if self._panel.views[TILES].isChecked():
            orders = [order] * len(self.canvases)
        else:
            hidden = [axis for axis in (0, 1, 2) if axis != order[0]]
            orders = [[axis, *(one for one in (0, 1, 2) if one != axis)] for axis in hidden]
        for canvas, wanted in zip(self.canvases, orders, strict=False):
            canvas.look_along(wanted)

    def _is_other(self, layer: Any) -> bool:
        return layer is self._panel.other()


def _everything(layer: Any) -> bool:
    return True


def _nothing(layer: Any) -> bool:
    return False


def _image_or(rest: Callable[[Any], bool], layer: Any) -> bool:
    tag = tag_of(layer.metadata)
    return rest(layer) or tag is None or tag.role == IMAGE


def _is_difference(layer: Any) -> bool:
    tag = tag_of(layer.metadata)
    return tag is not None and tag.role == DIFFERENCE
