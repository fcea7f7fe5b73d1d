"""Choose a patient: a path, and the list of patients below it with their state."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.states import State
from napari_brats.plugin.tags import LayerTag
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.opening import PatientRow
from napari_brats.widgets.typed_path import typed_path

COLUMNS = ("patient", "reference", "mask")
_NONE, _SEGMENTED = "-", "segmented"
_SHORT = {State.SECOND_READER: "2nd reader"}
_ROWS_SHOWN = 6


class PatientsPanel(QWidget):
    """Path field, Browse and the patients' list.

    Attributes
    ----------
    path_entered : Signal(str)
        A folder or file was typed or browsed to.
    patient_chosen : Signal(object)
        A `PatientRow` was clicked or confirmed with Enter.
    """

    path_entered = Signal(str)
    patient_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = QLineEdit(self)
        self.path.setPlaceholderText("patient or dataset folder")
        self.path.setToolTip("Folder of a patient or of a whole dataset, or one image file")
        self.path.setAccessibleName("Patient or dataset path")
        self.path.returnPressed.connect(self._enter)
        self.browse = QPushButton("Browse", self)
        self.browse.setToolTip("Choose the folder of a patient or of a whole dataset")
        self.browse.setAccessibleName("Browse for a patient or dataset folder")
        self.browse.clicked.connect(self._browse)
        self.list = QTreeWidget(self)
        self._prepare_list()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(captioned("Patient", self.path, self.browse))
        layout.addWidget(self.list)

    def show_patients(self, rows: Sequence[PatientRow]) -> None:
        """Fill the list."""
        self.list.clear()
        for row in rows:
            item = QTreeWidgetItem(
                [
                    row.files.case_id,
                    "reference" if row.files.reference else _NONE,
                    _progress(row.state, segmented=row.segmented),
                ]
            )
            item.setData(0, Qt.ItemDataRole.UserRole, row)
            item.setToolTip(0, str(row.image.parent))
            self.list.addTopLevelItem(item)
        self.list.setVisible(bool(rows))
        self._fit_height()

    def rows(self) -> list[PatientRow]:
        """Return what the list shows."""
        return [row for item in self._items() if (row := _row_of(item)) is not None]

    def mark_current(self, image: Path | None) -> None:
        """Select the patient that is open, without opening it again."""
        for item in self._items():
            row = _row_of(item)
            if row is not None and row.image == image:
                self.list.setCurrentItem(item)
                return
        self.list.clearSelection()

    def mark_segmented(self, tag: LayerTag) -> None:
        """Note that a patient has a saved mask now."""
        for item in self._items():
            row = _row_of(item)
            if row is not None and row.image in tag.sources and item.text(2) == _NONE:
                item.setText(2, _SEGMENTED)

    def mark_state(self, image: Path, state: State) -> None:
        """Show how the review of a patient stands, whom one of his files stands for."""
        for item in self._items():
            row = _row_of(item)
            if row is not None and row.image == image:
                item.setText(2, _progress(state, segmented=item.text(2) != _NONE))

    def _items(self) -> list[QTreeWidgetItem]:
        items = (self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _prepare_list(self) -> None:
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setAlternatingRowColors(False)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setToolTip("Click a patient to open it")
        self.list.setAccessibleName("Patients")
        header = self.list.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            for column in (1, 2):
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.list.hide()

    def _fit_height(self) -> None:
        """Give the list the height of its rows, a few at most; it scrolls beyond."""
        shown = min(max(self.list.topLevelItemCount(), 1), _ROWS_SHOWN)
        header = self.list.header()
        height = 0 if header is None else header.sizeHint().height()
        height += shown * max(self.list.sizeHintForRow(0), 18) + 6
        self.list.setFixedHeight(height)

    def _enter(self) -> None:
        text = typed_path(self.path.text())
        if text:
            self.path_entered.emit(text)

    def _browse(self) -> None:
        start = self.path.text() or str(Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Patient or dataset folder", start)
        if chosen:
            self.path.setText(chosen)
            self.path_entered.emit(chosen)

    def _choose(self, item: QTreeWidgetItem) -> None:
        row = _row_of(item)
        if row is not None:
            self.patient_chosen.emit(row)


def _progress(state: State, *, segmented: bool) -> str:
    if state is not State.NOT_STARTED:
        return _SHORT.get(state, str(state))
    return _SEGMENTED if segmented else _NONE


def _row_of(item: QTreeWidgetItem) -> PatientRow | None:
    row = item.data(0, Qt.ItemDataRole.UserRole)
    return row if isinstance(row, PatientRow) else None
