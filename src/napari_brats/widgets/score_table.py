"""The live table: region, Dice and its change, distance, volumes."""

from collections.abc import Sequence
from math import isfinite

from qtpy.QtCore import Qt
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_brats.regions import REGIONS
from napari_brats.widgets.live_scores import ScoreRow

COLUMNS = {
    "": "",
    "Dice": "Against the reference",
    "change": "Of the Dice since the mask came; without a reference, of the volume in ml",
    "HD95": "95th percentile of the surfaces' distances in mm, gray until it is measured again",
    "ml": "Volume in the mask",
    "ref. ml": "Volume in the reference",
}
"""The columns and their tooltips."""

_DISTANCE = list(COLUMNS).index("HD95")
_NONE = "-"
_LEAST_PIXELS = 24
_STALE = QBrush(QColor("#808080"))


def cells(row: ScoreRow) -> tuple[str, ...]:
    """Return the texts of one line."""
    volumes = row.dice is None
    return (
        row.region,
        _number(row.dice, ".3f"),
        _number(row.change, "+.1f" if volumes else "+.3f"),
        _number(row.hd95_mm, ".1f"),
        _number(row.volume_ml, ".1f"),
        _number(row.reference_ml, ".1f"),
    )


def _number(value: float | None, shape: str) -> str:
    return _NONE if value is None or not isfinite(value) else format(value, shape)


class ScoreTable(QTableWidget):
    """WT, TC and ET of the chosen mask; only texts that changed are written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(REGIONS), len(COLUMNS), parent)
        self.setHorizontalHeaderLabels(list(COLUMNS))
        for column, tip in enumerate(COLUMNS.values()):
            heading = self.horizontalHeaderItem(column)
            if heading is not None:
                heading.setToolTip(tip)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Scores of the mask")
        self.setToolTip("Follows every stroke, fill, undo and tool; the headings say what is what")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None:
            rows.hide()
        if columns is not None:
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            columns.setMinimumSectionSize(_LEAST_PIXELS)
        for row, region in enumerate(REGIONS.values()):
            for column in range(len(COLUMNS)):
                item = QTableWidgetItem()
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.setItem(row, column, item)
            self._write(row, 0, region.name)
            self._at(row, 0).setToolTip(region.title)
        self.show_rows([])
        self._fit_height()

    def show_rows(self, scores: Sequence[ScoreRow]) -> None:
        """Write the numbers; dashes where there are none."""
        if not scores:
            scores = [ScoreRow(name, None, float("nan"), None) for name in REGIONS]
        for row, score in enumerate(scores):
            for column, text in enumerate(cells(score)):
                self._write(row, column, text)
            self._shade(self._at(row, _DISTANCE), score.fresh)

    def _at(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None
        return item

    def _write(self, row: int, column: int, text: str) -> None:
        item = self._at(row, column)
        if item.text() != text:
            item.setText(text)

    def _shade(self, item: QTableWidgetItem, fresh: bool) -> None:
        """Write a number in gray that is not of the mask as it is now."""
        # Without a color of its own the text has that of napari's theme, whichever it is.
        color = None if fresh else _STALE
        if item.data(Qt.ItemDataRole.ForegroundRole) != color:
            item.setData(Qt.ItemDataRole.ForegroundRole, color)

    def _fit_height(self) -> None:
        self.resizeRowsToContents()
        header = self.horizontalHeader()
        height = 0 if header is None else header.sizeHint().height()
        height += sum(self.rowHeight(row) for row in range(self.rowCount())) + 4
        self.setFixedHeight(height)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
