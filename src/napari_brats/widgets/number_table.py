"""A table of numbers that sorts by value and names the row that is clicked."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from napari_brats.workflows.tables import Cell, rounded

_MOST_ROWS = 8


class NumberTable(QTableWidget):
    """Rows with a click on a column's head to sort by it; scrolls sideways by itself.

    Parameters
    ----------
    name : str
        For screen readers.
    tip : str
        The tooltip.
    """

    row_chosen = Signal(int)
    """The number that a clicked row had in `show_rows`, whatever the order on the screen."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        if rows is not None:
            rows.hide()
        self.cellClicked.connect(self._tell)
        self.cellActivated.connect(self._tell)  # the Enter key

    def show_rows(self, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show a table in its own order, in place of the one before.

        Parameters
        ----------
        header : sequence of str
            Titles of the columns.
        rows : sequence of sequence of Cell
            Numbers are shown by `rounded`; None sorts last.
        """
        self.setSortingEnabled(False)
        self.clear()
        self.setRowCount(len(rows))
        self.setColumnCount(len(header))
        self.setHorizontalHeaderLabels([*header])
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                self.setItem(number, column, _Item(cell, number))
        self.resizeColumnsToContents()
        self.resizeRowsToContents()
        columns = self.horizontalHeader()
        if columns is not None:
            columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self._fit_height()

    def texts(self) -> list[list[str]]:
        """Return what is read, row by row from the top."""
        return [
            [self._at(row, column).text() for column in range(self.columnCount())]
            for row in range(self.rowCount())
        ]

    def _tell(self, row: int, _: int) -> None:
        self.row_chosen.emit(self._at(row, 0).number)

    def _at(self, row: int, column: int) -> "_Item":
        item = self.item(row, column)
        assert isinstance(item, _Item)
        return item

    def _fit_height(self) -> None:
        header, bar = self.horizontalHeader(), self.horizontalScrollBar()
        height = sum(part.sizeHint().height() for part in (header, bar) if part is not None)
        height += sum(self.rowHeight(row) for row in range(min(self.rowCount(), _MOST_ROWS))) + 4
        self.setFixedHeight(height)


class _Item(QTableWidgetItem):
    """One cell; numbers stand right and sort as numbers, what is missing comes last."""

    def __init__(self, cell: Cell, number: int) -> None:
        text = rounded(cell)
        super().__init__(text)
        self.number = number
        missing = text == "-"
        self._key = (missing, 0.0, text) if missing or isinstance(cell, str) else (False, cell, "")
        if not isinstance(cell, str):
            self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return isinstance(other, _Item) and self._key < other._key
