"""KEYS: what the keyboard and the wheel do while a mask is painted, napari's own and ours."""

from dataclasses import dataclass

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

BRUSH_KEYS = ("Control-1", "Control-2", "Control-3", "Control-4")
"""Choose the first to fourth brush; napari's own 1 to 4 choose its tools."""

HELP_KEY = "F1"
OUTLINES_KEY = "H"
"""Free in every layer and viewer of napari's."""


@dataclass(frozen=True)
class Key:
    """One line of the help.

    Parameters
    ----------
    words : str
        What it does.
    action : str
        napari's action whose shortcut, as the person has set it, does it; empty otherwise.
    keys : str
        The keys, where it is no action of napari's.
    """

    words: str
    action: str = ""
    keys: str = ""


KEYS = (
    Key("first to fourth tissue or region", keys="Ctrl+1 to Ctrl+4"),
    Key("swap paint and erase", "napari:swap_selected_and_background_labels"),
    Key("smaller brush", "napari:decrease_brush_size"),
    Key("larger brush", "napari:increase_brush_size"),
    Key("next or previous slice, also while painting", keys="Ctrl+wheel"),
    Key("brush", "napari:activate_labels_paint_mode"),
    Key("eraser", "napari:activate_labels_erase_mode"),
    Key("fill bucket", "napari:activate_labels_fill_mode"),
    Key("polygon", "napari:activate_labels_polygon_mode"),
    Key("encircle and fill, with the brush", keys="right button"),
    Key("tissue under the cursor", "napari:activate_labels_picker_mode"),
    Key("move the view", "napari:activate_labels_pan_zoom_mode"),
    Key("move the view while held", "napari:hold_for_pan_zoom"),
    Key("masks as outlines, and back (hollow)", keys=OUTLINES_KEY),
    Key("lead the cursor of all views", keys="Shift and move the mouse"),
    Key("place the cursor of all views, with no drawing tool", keys="click"),
    Key("next place of Disagreements", keys="N"),
    Key("place before", keys="Shift+N"),
    Key("undo", keys="Ctrl+Z"),
    Key("redo", keys="Ctrl+Shift+Z"),
    Key("this help", keys=HELP_KEY),
)


def key_table() -> list[tuple[str, str]]:
    """Return (keys, words) of each line, with napari's shortcuts as they are set now."""
    from napari.settings import get_settings

    shortcuts = get_settings().shortcuts.shortcuts
    lines = []
    for key in KEYS:
        bound = [str(shortcut) for shortcut in shortcuts.get(key.action, ())]
        lines.append((key.keys or " or ".join(bound) or "no key set", key.words))
    return lines


class KeyHelp(QWidget):
    """A small window that lists the keys and stays out of the way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("Keys while painting")
        self.table = QLabel(self)
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table.setAccessibleName("Keys while painting")
        QVBoxLayout(self).addWidget(self.table)

    def show_keys(self) -> None:
        """List the keys as they are now, and come to the front."""
        rows = "".join(
            f"<tr><td><b>{keys}</b>&nbsp;&nbsp;</td><td>{words}</td></tr>"
            for keys, words in key_table()
        )
        self.table.setText(f"<table cellpadding='2'>{rows}</table>")
        self.adjustSize()
        self.show()
        self.raise_()
