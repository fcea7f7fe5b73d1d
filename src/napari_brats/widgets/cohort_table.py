"""The cohort's table on the screen: find, filter, sort, look at one patient's reasons."""

from collections.abc import Sequence

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_brats.widgets.cohort_model import COLUMNS, SHOWN, CohortFilter, CohortModel
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.thumbnails import SIZE, Thumbnails
from napari_brats.workflows.review_list import Item


class CohortTable(QWidget):
    """Menus, search field and table.

    Attributes
    ----------
    opened : Signal(object)
        An `Item` was double-clicked or confirmed with Enter.
    chosen : Signal(object)
        Another `Item` is the current one, or None.
    """

    opened = Signal(object)
    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)
        self.model = CohortModel(self.thumbnails, self)
        self.filter = CohortFilter(self.model, self)
        self.models = Combo("Model", "Whose masks are shown and opened", self)
        self.shown = Combo("Shown patients", "Which patients are listed", self)
        self.shown.addItems(list(SHOWN))
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("find by id, reason or warning")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find patients")
        self.count = QLabel(self)
        self.count.setAccessibleName("How many patients are listed")
        self.view = self._make_view()
        self._lay_out()
        self._connect()

    def show_items(self, items: Sequence[Item]) -> None:
        """Fill the table, in the order given; what is chosen and in sight stays so."""
        before, bar = self.current(), self.view.verticalScrollBar()
        place = 0 if bar is None else bar.value()
        models = list(dict.fromkeys(model for item in items for model in item.rows))
        kept = self.models.currentText()
        self.models.blockSignals(True)
        self.models.clear()
        self.models.addItems(models)
        self.models.setCurrentIndex(max(self.models.findText(kept), 0))
        self.models.blockSignals(False)
        self.model.choose(self.models.currentText())
        self.model.show_items(items)
        header = self.view.horizontalHeader()
        if header is not None and header.sortIndicatorSection() < len(COLUMNS):
            self.filter.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())
        self._tell_count()
        self.choose("" if before is None else before.patient)
        if bar is not None and before is not None and self.model.find(before.patient):
            bar.setValue(place)

    def current(self) -> Item | None:
        """Return the chosen patient."""
        index = self.view.currentIndex()
        return self.filter.item(index.row()) if index.isValid() else None

    def choose(self, patient: str) -> None:
        """Choose a patient who is listed; the first one where there is none of that id."""
        rows = range(self.filter.rowCount())
        row = next((row for row in rows if self.filter.item(row).patient == patient), 0)
        if rows:
            self._go(row)

    def step(self, by: int) -> Item | None:
        """Choose the next (1) or the one before (-1) in the list; None at its end."""
        index = self.view.currentIndex()
        row = index.row() + by if index.isValid() else 0
        if not 0 <= row < self.filter.rowCount():
            return None
        self._go(row)
        return self.current()

    def _go(self, row: int) -> None:
        index = self.filter.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag
        selection = self.view.selectionModel()
        if selection is not None:
            selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.view.scrollTo(index)

    def _make_view(self) -> QTableView:
        view = QTableView(self)
        view.setModel(self.filter)
        view.setSortingEnabled(True)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setIconSize(QSize(SIZE, SIZE))
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setAccessibleName("Patients of the cohort")
        lines, header = view.verticalHeader(), view.horizontalHeader()
        if lines is not None:
            lines.hide()
            lines.setDefaultSectionSize(SIZE + 2)
        if header is not None:
            header.setStretchLastSection(True)
            header.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for place, column in enumerate(COLUMNS):
            view.setColumnWidth(place, column.width)
        return view

    def _connect(self) -> None:
        self.models.currentTextChanged.connect(self.model.choose)
        self.shown.currentTextChanged.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.view.doubleClicked.connect(self._open)
        self.view.activated.connect(self._open)
        selection = self.view.selectionModel()
        if selection is not None:
            selection.currentRowChanged.connect(lambda *_: self.chosen.emit(self.current()))
        self.destroyed.connect(self.thumbnails.close)

    def _filter(self) -> None:
        self.filter.show_only(self.shown.currentText())
        self.filter.look_for(self.search.text())
        self._tell_count()

    def _tell_count(self) -> None:
        listed, every = self.filter.rowCount(), self.model.rowCount()
        self.count.setText(f"{listed} of {every}" if listed < every else f"{every} patients")

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.filter.item(index.row()))

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        for widget, stretch in ((self.models, 2), (self.shown, 2), (self.search, 4)):
            tools.addWidget(widget, stretch)
        tools.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(tools)
        column.addWidget(self.view, 1)
