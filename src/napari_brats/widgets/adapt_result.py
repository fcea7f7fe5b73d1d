"""Before and after, case by case."""

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_brats.regions import REGIONS
from napari_brats.training.verdict import HELD_BACK, SAMPLE

_GROUPS = {
    HELD_BACK: "one of your cases, held back: the model did not learn from it",
    SAMPLE: "a bundled patient of another look, which must not get worse",
}


class ResultTable(QTableWidget):
    """Dice of each compared case; hidden while there is nothing to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 1 + len(REGIONS), parent)
        self.setHorizontalHeaderLabels(["case", *REGIONS])
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName("Dice before and after")
        self.setToolTip("Dice before > after; cases held back taught the model nothing")
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideLeft)  # ids differ at their end
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None:
            rows.hide()
        if columns is not None:
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.hide()

    def show_rows(self, compared: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows, as `Adaptation.to_json` names them."""
        self.setRowCount(len(compared))
        for number, row in enumerate(compared):
            texts = ["sample" if row["group"] == SAMPLE else row["case"]]
            texts += [f"{row['before'][name]:.2f} > {row['after'][name]:.2f}" for name in REGIONS]
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{row['case']}: {_GROUPS[row['group']]}")
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.setItem(number, column, item)
        self.setVisible(bool(compared))
        self.resizeRowsToContents()
        header = self.horizontalHeader()
        height = 0 if header is None else header.sizeHint().height()
        self.setFixedHeight(height + sum(map(self.rowHeight, range(self.rowCount()))) + 4)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
