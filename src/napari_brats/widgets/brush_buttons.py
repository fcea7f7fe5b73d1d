"""A button with its color and a lock for each brush, in a grid."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from napari_brats.editing.brushes import Brush
from napari_brats.regions import REGIONS, TISSUE_COLORS, TISSUE_TITLES, Tissue

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

SHORT_TITLES: Mapping[str, str] = {
    TISSUE_TITLES[tissue]: short
    for tissue, short in (
        (Tissue.ENHANCING, "enhancing"),
        (Tissue.NON_ENHANCING, "non-enhancing"),
        (Tissue.CAVITY, "cavity"),
        (Tissue.CYST, "cyst"),
        (Tissue.GROSS_TUMOR, "gross tumor"),
    )
}
_CHIP, _LOCK = 12, 22


class LockButton(QPushButton):
    """A padlock, open or closed, in the text's color."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFixedWidth(_LOCK)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: "QPaintEvent | None") -> None:
        """Draw the padlock over the button."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.palette().color(self.foregroundRole())
        ink.setAlpha(255 if self.isChecked() else 110)
        painter.translate(QPointF(self.rect().center()) + QPointF(0.5, 0.5))
        painter.setPen(QPen(ink, 1.6))
        shackle = QRectF(-3, -6.5, 6, 8)
        painter.drawArc(shackle, 0, (180 if self.isChecked() else 140) * 16)
        if self.isChecked():
            painter.drawLine(QPointF(3, -2.5), QPointF(3, 0))
        painter.drawLine(QPointF(-3, -2.5), QPointF(-3, 0))
        painter.fillRect(QRectF(-4.5, -0.5, 9, 6.5), ink)


class BrushButtons(QWidget):
    """Choose one brush; lock any.

    Attributes
    ----------
    chosen : Signal(object)
        A brush was clicked.
    locked : Signal(str, bool)
        A brush's name, and whether its voxels are to be held.
    """

    chosen = Signal(object)
    locked = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2)
        self._grid.setVerticalSpacing(4)
        self._rows: tuple[Brush, ...] = ()
        self.brushes: dict[str, QPushButton] = {}
        self.locks: dict[str, LockButton] = {}

    def show_rows(self, rows: Sequence[Brush], keys: Sequence[str]) -> None:
        """Offer brushes; ``keys`` name their shortcuts, in the same order."""
        if tuple(rows) == self._rows:
            return
        self._rows = tuple(rows)
        for button in (*self.brushes.values(), *self.locks.values()):
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.brushes.clear()
        self.locks.clear()
        columns = 3 if all(row.name in REGIONS for row in rows) else 2
        for column in range(6):
            self._grid.setColumnStretch(column, 1 if column < 2 * columns and not column % 2 else 0)
        for place, (row, key) in enumerate(zip(rows, keys, strict=False)):
            line, column = divmod(place, columns)
            self._grid.addWidget(self._brush(row, key), line, 2 * column)
            self._grid.addWidget(self._lock(row), line, 2 * column + 1)

    def show_chosen(self, name: str) -> None:
        """Mark the brush in use."""
        for other, button in self.brushes.items():
            button.setChecked(other == name)

    def show_locks(self, names: frozenset[str]) -> None:
        """Mark what is held."""
        for name, button in self.locks.items():
            button.blockSignals(True)
            button.setChecked(name in names)
            button.blockSignals(False)
            button.update()

    def _brush(self, row: Brush, key: str) -> QPushButton:
        button = QPushButton(_chip(TISSUE_COLORS[row.becomes]), self._short(row), self)
        button.setIconSize(QSize(_CHIP, _CHIP))
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(f"Paint or erase: {row.title} ({key})")
        button.setAccessibleName(f"Brush: {row.title}")
        # A click on the brush in use must not leave none marked.
        button.clicked.connect(lambda: self.chosen.emit(row))
        self.brushes[row.name] = button
        return button

    def _lock(self, row: Brush) -> LockButton:
        button = LockButton(self)
        held = "outline" if row.name in REGIONS else "voxels"
        button.setToolTip(f"Lock: no tool changes the {held} of {row.title}")
        button.setAccessibleName(f"Lock {row.title}")
        button.toggled.connect(lambda on: self.locked.emit(row.name, on))
        self.locks[row.name] = button
        return button

    @staticmethod
    def _short(row: Brush) -> str:
        return SHORT_TITLES.get(row.name, row.name)


def _chip(color: str) -> QIcon:
    """Return a square of a color."""
    pixels = QPixmap(_CHIP, _CHIP)
    pixels.fill(QColor(color))
    return QIcon(pixels)
