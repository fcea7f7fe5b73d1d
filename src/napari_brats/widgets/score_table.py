"""The live table: region, Dice, volume, reference."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_brats.regions import REGIONS
from napari_brats.widgets.live_scores import ScoreRow

COLUMNS = ("region", "Dice", "volume ml", "reference ml")
_NONE = "-"


def cells(row: ScoreRow) -> tuple[str, str, str, str]:
    """Return the texts of one line."""
    return (
        row.region,
        _NONE if row.dice is None else f"{row.dice:.3f}",
        f"{row.volume_ml:.1f}",
        _NONE if row.reference_ml is None else f"{row.reference_ml:.1f}",
    )


class ScoreTable(QTableWidget):
    """WT, TC and ET of the chosen mask; only texts that changed are written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(REGIONS), len(COLUMNS), parent)
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Scores of the mask")
        self.setToolTip("Dice against the reference, and volumes; follows every stroke")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None:
            rows.hide()
        if columns is not None:
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
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
                self._write(row, column, _NONE if text == "nan" else text)

    def _at(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None
        return item

    def _write(self, row: int, column: int, text: str) -> None:
        item = self._at(row, column)
        if item.text() != text:
            item.setText(text)

    def _fit_height(self) -> None:
        self.resizeRowsToContents()
        header = self.horizontalHeader()
        height = 0 if header is None else header.sizeHint().height()
        height += sum(self.rowHeight(row) for row in range(self.rowCount())) + 4
        self.setFixedHeight(height)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
