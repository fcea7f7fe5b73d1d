"""Which cases a model learns from: the folder, the list with reasons, marking as reviewed."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_brats.plugin.masks import mask_title
from napari_brats.training.corrections import Correction
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.review_file import reader_name
from napari_brats.widgets.typed_path import typed_path

COLUMNS = ("case", "mask, or why none")
_ROWS_SHOWN = 7


class CasesPanel(QWidget):
    """Folder, list of cases, who reviews them, and the time to spend.

    Attributes
    ----------
    changed : Signal()
        Another folder was given, or unreviewed masks were taken in or left out.
    marked : Signal(list, str)
        The chosen cases (`Correction`) are to be marked as reviewed, and by whom.
    """

    changed = Signal()
    marked = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = QLineEdit(self)
        self.path.setPlaceholderText("folder of patients with corrected masks")
        self.path.setAccessibleName("Folder of corrected cases")
        self.browse = QPushButton("Browse", self)
        self.browse.setToolTip("Choose the folder of patients whose masks you corrected")
        self.every = QCheckBox("also masks that nobody reviewed", self)
        self.every.setToolTip(
            "Learn from every case: its newest saved mask, else its reference. A mask that nobody "
            "corrected teaches the model its own mistakes."
        )
        self.list = QTreeWidget(self)
        self.counted = QLabel(self)
        self.reader = QLineEdit(reader_name(), self)
        self.reader.setAccessibleName("Reader")
        self.reader.setToolTip("Your name; it is kept with the review")
        self.mark = QPushButton("Mark as reviewed", self)
        self.mark.setToolTip("The newest saved mask of each chosen case is right: learn from it")
        self.minutes = QDoubleSpinBox(self)
        self.minutes.setRange(1, 600)
        self.minutes.setDecimals(0)
        self.minutes.setValue(10)
        self.minutes.setSuffix(" minutes at most")
        self.minutes.setAccessibleName("Minutes")
        self._lay_out()
        self.path.returnPressed.connect(self.changed)
        self.browse.clicked.connect(self._browse)
        self.every.toggled.connect(lambda *_: self.changed.emit())
        self.mark.clicked.connect(self._mark)
        self.list.itemSelectionChanged.connect(self._show_choice)
        self.show_cases([])

    def folder(self) -> str:
        """Return the folder, or nothing."""
        return typed_path(self.path.text())

    def count(self) -> int:
        """Return how many cases count."""
        return sum(found.lesson is not None for found in self._found)

    def show_cases(self, found: Sequence[Correction]) -> None:
        """Fill the list."""
        self._found = list(found)
        self.list.clear()
        for one in found:
            what, whole = _said(one)
            item = QTreeWidgetItem([one.files.case_id, what])
            item.setData(0, Qt.ItemDataRole.UserRole, one)
            for column in range(len(COLUMNS)):
                item.setToolTip(column, whole)
                if one.lesson is None:
                    item.setForeground(column, self.palette().placeholderText())
            self.list.addTopLevelItem(item)
        self.list.setVisible(bool(found))
        self.counted.setVisible(bool(found))
        self.counted.setText(f"{self.count()} of {len(found)} cases count")
        shown = min(max(len(found), 1), _ROWS_SHOWN)
        header = self.list.header()
        height = 0 if header is None else header.sizeHint().height()
        self.list.setFixedHeight(height + shown * max(self.list.sizeHintForRow(0), 12) + 6)
        self._show_choice()

    def _chosen(self) -> list[Correction]:
        found = [item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]
        return [one for one in found if isinstance(one, Correction)]

    def _mark(self) -> None:
        self.marked.emit(self._chosen(), self.reader.text())

    def _show_choice(self) -> None:
        self.mark.setEnabled(bool(self._chosen()))

    def _browse(self) -> None:
        start = self.path.text() or str(Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Folder of corrected cases", start)
        if chosen:
            self.path.setText(chosen)
            self.changed.emit()

    def _lay_out(self) -> None:
        self.list.setHeaderLabels(COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Cases")
        header = self.list.header()
        if header is not None:
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(captioned("Cases", self.path, self.browse))
        for widget in (self.every, self.list, self.counted):
            layout.addWidget(widget)
        layout.addLayout(captioned("Reader", self.reader, self.mark))
        layout.addLayout(captioned("Time", self.minutes))


def _said(one: Correction) -> tuple[str, str]:
    """Return what the list says of a case, and the whole of it for the tooltip."""
    if one.lesson is None:
        return one.why_not, one.why_not
    mask, files = one.lesson.mask, one.files
    title = "reference" if mask == files.reference else mask_title(mask, files.case_id)
    by = one.reader or "not reviewed"
    return f"{title}, {by}", f"{mask.name}, {by}"
