"""A mask's regions as surfaces in 3D, on a canvas of their own where nothing can be painted."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.qt import QtViewer
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_brats.plugin.tags import IMAGE, tag_of
from napari_brats.regions import REGIONS, Tissue, region_mask
from napari_brats.regions.colors import DEFAULT_PALETTE, PALETTES, TISSUE_COLORS
from napari_brats.widgets.background import Task
from napari_brats.widgets.mask_book import MaskBook, mask_tag

if TYPE_CHECKING:
    from napari_brats.workflows.surfaces import Surface

PAUSE_MS = 600
"""How long after an edit the surfaces follow."""

BRAIN, CAVITY = "brain", "cavity"
_BRAIN_COLOR = "#b8b8b8"
_BRAIN_STEP = 3
_CLOSER = 1.3
_LEAST_AIR = 0.2
"""Share of the volume that is 0 where the skull was taken away; else there is no brain to show."""

_OPACITIES = {"ET": 1.0, CAVITY: 0.7, "TC": 0.5, "WT": 0.4, BRAIN: 0.25}
"""Surfaces from the first drawn to the last: what lies inside comes first and is denser."""

Surfaces = Mapping[str, "Surface | None"]


@dataclass(frozen=True, eq=False)
class Solids:
    """What is to be shown.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (Z, Y, X) as displayed
        A copy of the mask.
    image : NDArray or None
        An image of the patient, or None where the brain's surface is known.
    """

    tissues: NDArray[np.uint8]
    image: NDArray[Any] | None


def surfaces(solids: Solids) -> Generator[None, None, Surfaces]:
    """Compute the surfaces in voxels; None stands for what is not there.

    Yields
    ------
    None
        After each surface.
    """
    from napari_brats.workflows.surfaces import surface_of

    identity = np.eye(4)
    parts = {name: region_mask(solids.tissues, name) for name in REGIONS}
    parts[CAVITY] = solids.tissues == Tissue.CAVITY
    found: dict[str, Surface | None] = {}
    for name, part in parts.items():
        found[name] = surface_of(part, identity, smooth_voxels=0.8) if part.any() else None
        yield
    if solids.image is not None:
        brain = solids.image > 0
        stripped = _LEAST_AIR < np.mean(~brain) < 1
        found[BRAIN] = (
            surface_of(brain, identity, smooth_voxels=1.5, step=_BRAIN_STEP) if stripped else None
        )
    return found


class SolidCanvas(QWidget):
    """A canvas with the regions of one mask, which follow its edits.

    Parameters
    ----------
    window : napari.components.ViewerModel
        The window's viewer; holds the images.
    book : MaskBook
        Tells of edits.
    parent : QWidget, optional

    Attributes
    ----------
    model : napari.components.ViewerModel
        The canvas' own; it holds surfaces only.
    """

    def __init__(self, window: ViewerModel, book: MaskBook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window, self._book = window, book
        self._mask: Any = None
        self._patient: Any = None
        self._task: Task | None = None
        self._forget_edits: Callable[[], None] = lambda: None
        self.model = ViewerModel(ndisplay=3)
        self.model.theme = window.theme
        self.model.canvas.background_color_override = "black"
        self.qt_viewer = QtViewer(self.model)
        self.qt_viewer.setAcceptDrops(False)
        self.qt_viewer.dims.hide()
        self.caption = QLabel("3D", self)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Regions in 3D")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addWidget(self.qt_viewer, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._compute)
        window.events.theme.connect(self._dress)

    def close_view(self) -> None:
        """Let go of the mask and the window for good."""
        self.choose(None)
        self._window.events.theme.disconnect(self._dress)
        self.model.layers.clear()
        self.qt_viewer.close()
        self.qt_viewer.deleteLater()
        self.hide()
        self.deleteLater()

    def choose(self, mask: Any) -> None:
        """Show another mask, or none."""
        self._forget_edits()
        self._timer.stop()
        if self._task is not None:
            self._task.forget()
            self._task = None
        self._mask = mask
        if mask is None:
            self.model.layers.clear()
            self._patient = None
            self.caption.setText("3D: no mask")
            return
        edits = self._book.edits(mask)
        edits.on_paint.append(self._painted)
        edits.on_replace.append(self._timer.start)

        def forget() -> None:
            edits.on_paint.remove(self._painted)
            edits.on_replace.remove(self._timer.start)
            self._forget_edits = lambda: None

        self._forget_edits = forget
        self._compute()

    def _painted(self, atoms: Any) -> None:
        self._timer.start()

    def _compute(self) -> None:
        """Compute the surfaces in the background; while they are, wait a little longer."""
        if self._mask is None:
            return
        if self._task is not None:
            self._timer.start()
            return
        mask, patient = self._mask, (mask_tag(self._mask).sources, self._mask.data.shape)
        image = None if patient == self._patient else _image_of(self._window, mask)
        solids = Solids(np.array(mask.data, np.uint8), image)

        def work(stop: Event) -> Generator[None, None, Surfaces]:
            return (yield from surfaces(solids))

        def show(found: Surfaces) -> None:
            self._show(mask, found)
            self._patient = patient

        self._task = Task(
            work,
            "Surfaces of the regions",
            on_report=lambda _: None,
            on_result=show,
            on_end=self._ended,
        )

    def _ended(self) -> None:
        self._task = None

    def _show(self, mask: Any, found: Surfaces) -> None:
        """Put surfaces where the mask is."""
        fresh = not self.model.layers
        for name, surface in found.items():
            if name in self.model.layers:
                layer = self.model.layers[name]
                if surface is None:
                    layer.visible = False
                else:
                    layer.data = _triangles(surface)
                    layer.visible = True
            elif surface is not None:
                self.model.add_layer(_layer(name, surface, mask))
        for place, name in enumerate(one for one in _OPACITIES if one in self.model.layers):
            here = self.model.layers.index(name)
            if here != place:
                self.model.layers.move(here, place)
        for layer in self.model.layers:
            layer.scale, layer.translate = mask.scale, mask.translate
        shown = [name for name in REGIONS if name in found and found[name] is not None]
        self.caption.setText(f"3D: {', '.join(shown)}" if shown else "3D: the mask is empty")
        if fresh:
            self.model.reset_view()
            # From the front, the patient's right on the left, a little from above.
            self.model.scene.camera.set_view_direction((0.25, 1.0, 0.0), (-1.0, 0.0, 0.0))
            self.model.scene.camera.zoom *= _CLOSER

    def _dress(self, event: Any = None) -> None:
        self.model.theme = self._window.theme


def _layer(name: str, surface: "Surface", mask: Any) -> Any:
    from napari.layers import Surface as SurfaceLayer
    from napari.utils import Colormap

    color = color_of(name)
    return SurfaceLayer(
        _triangles(surface),
        name=name,
        colormap=Colormap([color, color], name=f"brats {name}"),
        opacity=_OPACITIES[name],
        shading="smooth",
        blending="translucent",
        scale=mask.scale,
        translate=mask.translate,
        units=mask.units,
        axis_labels=mask.axis_labels,
    )


def _triangles(surface: "Surface") -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return a surface for napari, which reverses the axes and so the sense of the corners."""
    return surface.vertices, surface.faces[:, ::-1]


def color_of(name: str) -> str:
    """Return the color of a region, the cavity or the brain."""
    if name == BRAIN:
        return _BRAIN_COLOR
    if name == CAVITY:
        return TISSUE_COLORS[Tissue.CAVITY]
    return PALETTES[DEFAULT_PALETTE].region(name)


def _image_of(window: ViewerModel, mask: Any) -> NDArray[Any] | None:
    """Return an image on a mask's grid."""
    tag = mask_tag(mask)
    for layer in reversed(window.layers):
        found = tag_of(layer.metadata)
        if found is not None and found.role == IMAGE and found.sources == tag.sources:
            return np.asarray(layer.data)
    return None
