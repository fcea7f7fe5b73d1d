"""References are looked at, never painted on."""

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_brats.plugin.tags import REFERENCE, tag_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_protected: "WeakSet[ViewerModel]" = WeakSet()


def protect_references(viewer: "ViewerModel") -> None:
    """Keep every reference of a viewer read-only, those that come later too.

    napari's ``locked`` protects from deletion only, so ``editable`` is switched off, and
    again whenever napari switches it on (it does when the data are assigned).
    """
    if viewer in _protected:
        return
    _protected.add(viewer)
    for layer in viewer.layers:
        _freeze(layer)
    viewer.layers.events.inserted.connect(_on_inserted)


def _on_inserted(event: Any) -> None:
    _freeze(event.value)


def _freeze(layer: Any) -> None:
    tag = tag_of(layer.metadata)
    if tag is not None and tag.role == REFERENCE:
        layer.editable = False
        layer.events.editable.connect(_on_editable)


def _on_editable(event: Any) -> None:
    if event.source.editable:
        event.source.editable = False
