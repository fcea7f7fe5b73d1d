"""Open a window on a patient: what the command line calls."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_brats.widgets.segment import SegmentWidget
    from napari_brats.workflows.segmented import SegmentResult

WIDGET = "Segment"


def open_case(path: str | Path, *, model: str, result: "SegmentResult | None" = None) -> None:
    """Show a patient with the Segment widget and stay until the window is closed.

    Parameters
    ----------
    path : str or Path
        A patient's folder, one of its files, or a dataset's root.
    model : str
        Model to show in the widget.
    result : SegmentResult, optional
        A segmentation of this patient, shown as its mask.
    """
    import napari

    show_case(path, model=model, result=result)
    napari.run()


def show_case(
    path: str | Path, *, model: str, result: "SegmentResult | None" = None
) -> "tuple[Viewer, SegmentWidget]":
    """Do `open_case` without waiting.

    Returns
    -------
    tuple
        The viewer and the widget; the patient's layers arrive while the event loop runs.
    """
    import napari

    from napari_brats.widgets.segment import SegmentWidget

    viewer = napari.Viewer(title="napari-brats")
    _make_room(viewer)
    widget = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget, name=_dock_name())
    widget.models.choose(model)
    if result is not None:
        widget.expect(result)
    widget.open(path)
    return viewer, widget


def _dock_name() -> str:
    """Return the name under which napari's menu looks for the dock, to toggle it."""
    from napari.plugins import menu_item_template
    from npe2 import PluginManager

    plugin = PluginManager.instance().get_manifest("napari-brats").display_name
    return str(menu_item_template.format(plugin, WIDGET))


def _make_room(viewer: "Viewer") -> None:
    """Give the window nine tenths of the screen: napari's first size leaves the image little."""
    from qtpy.QtGui import QGuiApplication

    screen = QGuiApplication.primaryScreen()
    if screen is None:
        return
    free = screen.availableGeometry()
    width, height = min(1800, free.width() * 9 // 10), min(1100, free.height() * 9 // 10)
    left, top = free.x() + (free.width() - width) // 2, free.y() + 20
    viewer.window.set_geometry(left, top, width, height)
