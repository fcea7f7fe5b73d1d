"""The Cohort widget: many patients in a table, those that need a look first, and their review."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QSplitter,
    QWidget,
)

from napari_brats.editing.blinding import hidden_masks, is_blind
from napari_brats.editing.review import mark, read_review
from napari_brats.editing.states import State
from napari_brats.errors import BratsError, ReviewError
from napari_brats.plugin.masks import saved_masks
from napari_brats.plugin.tags import LayerTag, tag_of
from napari_brats.widgets.background import notify_error
from napari_brats.widgets.centering import unwrapped
from napari_brats.widgets.cohort_panel import CohortPanel
from napari_brats.widgets.cohort_table import CohortTable
from napari_brats.widgets.cohort_work import CohortWork
from napari_brats.widgets.docking import around, when_closed
from napari_brats.widgets.opening import PatientRow
from napari_brats.widgets.segment import NARROWEST, SegmentWidget
from napari_brats.workflows.cohort.row import State as MaskState
from napari_brats.workflows.review_list import Item, files_of, review_state

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

FOLLOW_MS = 5000


class CohortWidget(QWidget):
    """A cohort's output folder as a table; patients open in the Segment widget beside it.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        napari gives it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.table = CohortTable(self)
        self.panel = CohortPanel(self)
        self.work = CohortWork(self.table, self.panel)
        self._placed = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.work.follow)
        self._timer.start(FOLLOW_MS)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.addWidget(self.table)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 1)
        split.setCollapsible(1, False)
        # Else napari adds a stretch below, which takes half of the width here.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self.table.opened.connect(self.open)
        self.table.chosen.connect(self._tell)
        self.panel.before.clicked.connect(lambda: self._step(-1))
        self.panel.next.clicked.connect(lambda: self._step(1))
        self.panel.marked.connect(self._mark)
        self.panel.reader.textChanged.connect(lambda *_: self._tell(self.table.current()))
        self.destroyed.connect(self.work.close)
        when_closed(self, self._end)

    def look_in(self, folder: str | Path) -> None:
        """Show the cohort in a folder."""
        self.panel.path.setText(str(folder))
        self.panel.folder_entered.emit(str(folder))

    def open(self, item: Item) -> None:
        """Open a patient in the Segment widget with the chosen model's mask."""
        try:
            row = self._patient(item)
        except BratsError as error:
            notify_error(error)
            return
        self._workspace().patient_control.open(row)
        self._tell(item)

    def showEvent(self, event: "QShowEvent | None") -> None:
        """Go to the lower edge of the window once: a table is wide."""
        super().showEvent(event)
        if not self._placed:
            self._placed = True
            # A dock that moves while it is being shown takes the process down.
            QTimer.singleShot(0, self._go_down)

    def _end(self) -> None:
        """Let go of the cohort: the dock is gone, and with it the button that stops a run."""
        self._timer.stop()
        self.work.close()
        self.table.show_items([])

    def _go_down(self) -> None:
        dock, window = around(self, QDockWidget), around(self, QMainWindow)
        areas = Qt.DockWidgetArea
        if (
            dock is None
            or window is None
            or window.dockWidgetArea(dock) != areas.RightDockWidgetArea
        ):
            return
        window.addDockWidget(areas.BottomDockWidgetArea, dock)
        window.resizeDocks([dock], [window.height() // 3], Qt.Orientation.Vertical)

    def _patient(self, item: Item) -> PatientRow:
        """Return what the Segment widget opens: second readers do not see those before them."""
        review = read_review(item)
        row = item.row(self.table.models.currentText())
        more = {}
        if row is not None and row.state == MaskState.DONE and self.work.root is not None:
            more = {row.model: self.work.root / row.mask}
        return PatientRow(
            files_of(item),
            bool(saved_masks(item.image, item.case_id)),
            review.state,
            more,
            hidden_masks(item, review, self.panel.reader.text()),
        )

    def _workspace(self) -> SegmentWidget:
        """Return the Segment widget of this window; it is opened where there is none."""
        workspace = _segment_of(self.viewer, around(self, QMainWindow))
        listeners = workspace.mask_control.on_saved
        if self._saved not in listeners:
            listeners.append(self._saved)
        return workspace

    def _step(self, by: int) -> None:
        item = self.table.step(by)
        if item is not None:
            self.open(item)

    def _tell(self, item: Item | None) -> None:
        self.panel.show_item(item, item is not None and self._is_blind(item))

    def _is_blind(self, item: Item) -> bool:
        if item.review == State.NOT_STARTED:
            return False
        try:
            return is_blind(read_review(item), self.panel.reader.text())
        except BratsError:
            return False

    def _mark(self, state: State) -> None:
        """Mark the patient that is open; its reader stands for the mask that is chosen."""
        try:
            item, mask = self._stood_for()
            mark(item, state, self.panel.reader.text(), mask=mask)
        except BratsError as error:
            notify_error(error)
            return
        self._renew(item)

    def _stood_for(self) -> tuple[Item, Path]:
        workspace = self._workspace()
        layer = workspace.masks.mask()
        tag = None if layer is None else tag_of(layer.metadata)
        item = None if tag is None else self._item_of(tag)
        if tag is None or item is None:
            raise ReviewError("no patient of this cohort is open; double-click one in the table")
        if tag.path is None or workspace.mask_control.book.edits(layer).dirty:
            raise ReviewError(f"{layer.name!r} is not saved; save the mask, then mark the case")
        return item, tag.path

    def _item_of(self, tag: LayerTag) -> Item | None:
        """Return the patient of the cohort that a layer is of, not another of the same name."""
        sources = [source.resolve() for source in tag.sources]
        named = self.table.model.of_case(tag.case_id)
        return next((item for item in named if item.image.resolve() in sources), None)

    def _saved(self, tag: LayerTag) -> None:
        """Note whose mask was saved during a second reading, so that they see it again."""
        reader = self.panel.reader.text()
        try:
            item = self._item_of(tag)
            if item is None or not reader.strip() or not self._is_blind(item):
                return
            mark(item, State.IN_PROGRESS, reader, mask=tag.path)
        except BratsError as error:
            notify_error(error)
            return
        self._renew(item)

    def _renew(self, item: Item) -> None:
        review, notes = review_state(item)
        self.table.model.replace(replace(item, review=review, notes=notes))
        self._tell(self.table.current())


def _segment_of(viewer: Any, window: QMainWindow | None) -> SegmentWidget:
    for widget in QApplication.allWidgets():
        if isinstance(widget, SegmentWidget) and around(widget, QMainWindow) is window is not None:
            return widget
    widget = unwrapped(viewer.window.add_plugin_dock_widget("napari-brats", "Segment")[1])
    if not isinstance(widget, SegmentWidget):
        raise TypeError(f"napari opened {widget!r} where the Segment widget was asked for")
    dock = around(widget, QDockWidget)
    if dock is not None and window is not None:
        window.resizeDocks([dock], [NARROWEST], Qt.Orientation.Horizontal)
    return widget
