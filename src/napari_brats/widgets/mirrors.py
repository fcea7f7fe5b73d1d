"""Twins of a window's layers for further canvases: the same voxels, cut along another plane.

A napari layer holds the slice that is drawn, so each canvas needs a layer of its own. A twin
shares the array and follows the look of its layer. What is drawn on the twin of a mask is
handed to the mask itself: its rules, its history, its journal and its scores are the only
ones there are.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_brats.widgets.strokes import Place

_LOOK = ("visible", "opacity", "blending", "scale", "translate")
_IMAGE_LOOK = ("colormap", "contrast_limits_range", "contrast_limits", "gamma", "interpolation2d")
_LABELS_LOOK = (
    "editable",
    "colormap",
    "contour",
    "n_edit_dimensions",
    "contiguous",
    "preserve_labels",
    "show_selected_label",
    "selected_label",
    "brush_size",
    "mode",
)
_PLACE = ("name", "metadata", "scale", "translate", "rotate", "shear", "affine", "units")
_NOT_OURS = ("napari.", "napari_builtins.")


class MirroredImage(Image):  # type: ignore[misc]  # napari ships no types
    """An image that shows what another layer holds."""

    def _update_thumbnail(self) -> None:
        """Make none: no list shows it."""


class MirroredLabels(Labels):  # type: ignore[misc]  # napari ships no types
    """A labels layer whose strokes, undo and redo are those of another layer."""

    master: Any = None

    def undo(self) -> None:
        """Undo the last step of the other layer."""
        self.master.undo()

    def redo(self) -> None:
        """Redo it there."""
        self.master.redo()

    def block_history(self) -> AbstractContextManager[None]:
        """Gather edits into one step of the other layer's history."""
        gathered: AbstractContextManager[None] = self.master.block_history()
        return gathered

    def data_setitem(self, indices: Any, value: Any, refresh: bool = True) -> None:
        """Set voxels in the other layer."""
        self.master.data_setitem(indices, value, refresh)

    def draw_box(self, box: Place) -> None:
        """Draw voxels that changed, if the slice at hand cuts them."""
        if self._get_update_slices(box) is None:
            return
        if self.contour == 0 and not np.may_share_memory(self.data, self._slice.image.view):
            self.refresh(thumbnail=False, highlight=False, extent=False)
            return
        self._accumulate_updated_slice(box)
        super()._partial_labels_refresh()

    def _begin_stroke(self) -> None:
        self.master._begin_stroke()

    def _commit_stroke(self) -> None:
        self.master._commit_stroke()

    def _abort_stroke(self) -> None:
        self.master._abort_stroke()

    def _paint_region_with_mask(
        self,
        slice_key: Place,
        mask: NDArray[np.bool_],
        new_label: int,
        dims_to_paint: list[int],
        refresh: bool = True,
        region_data: NDArray[Any] | None = None,
    ) -> None:
        # The other layer tells every twin, this one too, as soon as it draws the change.
        self.master._paint_region_with_mask(
            slice_key, mask, new_label, dims_to_paint, refresh, region_data
        )

    def _partial_labels_refresh(self) -> None:
        self.master._partial_labels_refresh()

    def _update_thumbnail(self) -> None:
        """Make none: no list shows it."""


class Mirror:
    """Keeps a twin like its layer.

    Parameters
    ----------
    master : napari.layers.Image or napari.layers.Labels
        As `can_mirror` takes it.
    place : callable
        Returns the place of the window's cursor. A layer tells of new voxels and of another
        slice in the same way; only where the place is the same were voxels changed.
    shown : bool
        Whether the twin is visible whatever the layer is.

    Attributes
    ----------
    twin : MirroredImage or MirroredLabels
        For another canvas.
    """

    def __init__(
        self, master: Any, place: Callable[[], tuple[float, ...]], *, shown: bool = False
    ) -> None:
        self.master, self._place, self._known = master, place, place()
        self._setting = False
        own = _LABELS_LOOK if isinstance(master, Labels) else _IMAGE_LOOK
        self._look = tuple(name for name in (*_LOOK, *own) if not (shown and name == "visible"))
        self.twin = _twin(master)
        self._links: list[tuple[Any, Any]] = []
        for name in self._look:
            self._copy(name, self.master, self.twin)
            for source, target in ((self.master, self.twin), (self.twin, self.master)):
                self._link(getattr(source.events, name), partial(self._copy, name, source, target))
        self._link(master.events.data, self._on_data)
        self._link(master.events.set_data, self._on_set_data)
        if isinstance(master, Labels):
            self._link(master.events.labels_update, self._on_labels_update)
        # What waits for clicks on the layer hears of those on the twin.
        name = "mouse_drag_callbacks"
        getattr(self.twin, name).append(partial(hand_on, master, name))

    def close(self) -> None:
        """Let go of the layer."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()

    def _link(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._links.append((signal, slot))

    def _copy(self, name: str, source: Any, target: Any, event: Any = None) -> None:
        if self._setting:
            return
        value = getattr(source, name)
        if (name, value) == ("mode", "transform"):
            value = "pan_zoom"
        self._setting = True
        try:
            if not _same(getattr(target, name), value):
                setattr(target, name, value)
        finally:
            self._setting = False

    def _on_data(self, event: Any) -> None:
        """Take over new voxels, and whose they are: the next patient's, perhaps."""
        self.twin.metadata = self.master.metadata
        self.twin.data = self.master.data
        self._known = self._place()

    def _on_set_data(self, event: Any) -> None:
        """Draw anew what was undone, redone or written directly."""
        known, self._known = self._known, self._place()
        if known == self._known or not self.master.visible:
            self.twin.refresh(thumbnail=False, highlight=False, extent=False)

    def _on_labels_update(self, event: Any) -> None:
        box = self.master._updated_slice
        if box is not None and self.twin.data is self.master.data:
            self.twin.draw_box(box)


def can_mirror(layer: Any) -> bool:
    """Return whether a layer is a plain volume, of which a twin can be made."""
    return (
        isinstance(layer, (Image, Labels))
        and layer.ndim == 3
        and not layer.multiscale
        and not getattr(layer, "rgb", False)
        and isinstance(layer.data, np.ndarray)
    )


def hand_on(target: Any, name: str, source: Any, event: Any) -> Any:
    """Run the drag callbacks that others than napari put on a layer or a viewer.

    Parameters
    ----------
    target : napari.layers.Layer or napari.components.ViewerModel
        Whose callbacks.
    name : str
        The list that holds them.
    source : object
        What the mouse was on; not needed.
    event : napari mouse event
        Of that place.

    Yields
    ------
    None
        On press and each move, as napari expects of a drag callback.
    """
    ours = [one for one in getattr(target, name) if not _module(one).startswith(_NOT_OURS)]
    started = [one(target, event) for one in ours]
    going = [one for one in started if hasattr(one, "__next__")]
    while going:
        going = [one for one in going if _goes_on(one)]
        yield


def _goes_on(generator: Any) -> bool:
    try:
        next(generator)
    except StopIteration:
        return False
    return True


def _module(callback: Any) -> str:
    return str(getattr(getattr(callback, "func", callback), "__module__", ""))


def _twin(master: Any) -> Any:
    place = {name: getattr(master, name) for name in _PLACE}
    place["axis_labels"] = master.axis_labels
    if isinstance(master, Labels):
        twin = MirroredLabels(master.data, **place)
        twin.master = master
        return twin
    return MirroredImage(master.data, contrast_limits=master.contrast_limits, **place)


def _same(one: Any, other: Any) -> bool:
    """Return whether two values of a look are the same, without comparing colormaps in full."""
    if one is other:
        return True
    if isinstance(one, (np.ndarray, list, tuple)):
        return bool(np.array_equal(one, other))
    if isinstance(one, (bool, int, float, str)):
        return bool(one == other)
    return False
