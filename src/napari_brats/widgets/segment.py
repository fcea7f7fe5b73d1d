"""The Segment widget: choose a patient, segment, correct with live scores, save."""

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication, QLabel, QMainWindow, QVBoxLayout, QWidget

from napari_brats.widgets.background import soon
from napari_brats.widgets.centering import unwrapped
from napari_brats.widgets.close_guard import Ask, CloseGuard, ask_person
from napari_brats.widgets.cursor import CursorReadout
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.docking import around
from napari_brats.widgets.exchange_control import ExchangeControl
from napari_brats.widgets.exchange_panel import ExchangePanel
from napari_brats.widgets.intake_dialog import AskTargets, ask_targets
from napari_brats.widgets.long_lived import set_aside, take_back
from napari_brats.widgets.mask_control import MaskControl
from napari_brats.widgets.mask_panel import MaskPanel
from napari_brats.widgets.model_panel import ModelPanel
from napari_brats.widgets.orientation import OrientationLetters
from napari_brats.widgets.origins import keep_origins
from napari_brats.widgets.paint_control import PaintControl
from napari_brats.widgets.paint_panel import PaintPanel
from napari_brats.widgets.patient_control import Coming, PatientControl
from napari_brats.widgets.patients_panel import PatientsPanel
from napari_brats.widgets.places_control import PlacesControl
from napari_brats.widgets.places_panel import PlacesPanel
from napari_brats.widgets.preferences import preferences
from napari_brats.widgets.recovery import Recovery
from napari_brats.widgets.recovery_panel import Confirm, RecoveryPanel, confirm_person
from napari_brats.widgets.references import protect_references
from napari_brats.widgets.review_control import ReviewControl
from napari_brats.widgets.review_file import ReviewFile, reader_name
from napari_brats.widgets.review_panel import ReviewPanel
from napari_brats.widgets.run_control import RunControl, Unfinished
from napari_brats.widgets.run_panel import RunPanel
from napari_brats.widgets.runs import result_layer
from napari_brats.widgets.scrolling import let_scroll
from napari_brats.widgets.tool_control import ToolControl
from napari_brats.widgets.tools_panel import ToolsPanel
from napari_brats.widgets.views_control import ViewsControl
from napari_brats.widgets.views_panel import ViewsPanel

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_brats.workflows.segmented import SegmentResult

NARROWEST = 300


class SegmentWidget(QWidget):
    """One dock from patient to saved mask, read from top to bottom.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        napari gives it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        retired = [old.retire() for old in _closed_docks(napari_viewer)]
        super().__init__()
        chosen = preferences()
        self.viewer = napari_viewer
        self.patients = PatientsPanel(self)
        self.views = ViewsPanel(self)
        self.models = ModelPanel(chosen.model, chosen.device, self)
        self.run = RunPanel(self)
        self.masks = MaskPanel(self)
        self.places = PlacesPanel(self)
        self.review = ReviewPanel(reader_name(), self)
        self.exchange = ExchangePanel(self)
        self.paint = PaintPanel(self)
        self.tools = ToolsPanel(self)
        self.found = RecoveryPanel(self)
        self.ask: Ask = ask_person(self)
        self.confirm: Confirm = confirm_person(self)
        self.ask_targets: AskTargets = ask_targets(self)
        self._lay_out()
        protect_references(napari_viewer)
        self.letters = OrientationLetters(napari_viewer)
        self.readout = CursorReadout(napari_viewer, self._show_place)
        self._make_controls()
        self._connect()
        for run, coming in retired:
            self.run_control.take_over(run)
            if coming is not None:
                self.patient_control.take_over(coming)
        self._guard: CloseGuard | None = None
        self._status: QLabel | None = None
        self._release = self._make_release()
        self.destroyed.connect(self._release)
        if not napari_viewer.layers:
            set_aside()

    def _make_controls(self) -> None:
        """Give each panel what works behind it."""
        desk = Desk(self.viewer)
        self.mask_control = MaskControl(
            self.viewer, self.masks, lambda titles: self.ask(titles), soon
        )
        self.paint_control = PaintControl(
            self.viewer,
            self.mask_control.book,
            self.paint,
            soon,
            lambda: around(self, QMainWindow) is not None,
        )
        self.patient_control = PatientControl(
            desk,
            self.patients,
            self.mask_control.may_close,
            self.mask_control.book.unsaved_voxels,
        )
        self.run_control = RunControl(self.viewer, desk, self.models, self.run)
        self.tool_control = ToolControl(
            self.viewer,
            self.mask_control.book,
            self.tools,
            self.run_control,
            self.paint_control.painter.limits,
            soon,
        )
        self.views_control = ViewsControl(
            self.viewer, self.mask_control.book, self.views, self, self._show_place
        )
        self.recovery = Recovery(
            self.viewer,
            desk,
            self.mask_control,
            self.found,
            lambda question: self.confirm(question),
            soon,
        )
        self._make_review(desk)

    def _make_review(self, desk: Desk) -> None:
        """Give the panels of reviewing what works behind them; the masks have theirs by then."""
        keep_origins(self.mask_control.book)
        self.reviews = ReviewFile(self)
        self.places_control = PlacesControl(
            self.viewer,
            self.mask_control.book,
            self.places,
            self.reviews,
            self.paint_control.painter.limits,
        )
        self.review_control = ReviewControl(
            self.viewer,
            desk,
            self.review,
            self.reviews,
            self.mask_control,
            self.patient_control,
        )
        self.exchange_control = ExchangeControl(
            self.viewer,
            desk,
            self.exchange,
            self.mask_control,
            lambda *labels: self.ask_targets(*labels),
        )

    def _connect(self) -> None:
        """Tell the controls of one another's doings."""
        for follow in (
            self.review_control.choose,
            self.paint_control.choose,
            self.places_control.choose,
            self.tool_control.choose,
            self.views_control.choose,
        ):
            follow(self.masks.mask())
            self.masks.mask_chosen.connect(follow)
        self.patient_control.on_opened.append(self.letters.update)
        self.patient_control.on_opened.append(self.views_control.update)
        self.patient_control.on_settled.append(self.run_control.deliver_waiting)
        self.patient_control.on_settled.append(self.recovery.look)
        self.mask_control.on_saved.append(self.patients.mark_segmented)
        self.review_control.on_marked.append(self.patients.mark_state)

    def open(self, path: str | Path) -> None:
        """List the patients at a path; a single one is opened at once."""
        self.patients.path.setText(str(path))
        self.patient_control.find(str(path))

    def masks_shown(self) -> list[Any]:
        """Return the masks in the viewer, the lowest layer first."""
        return self.mask_control.book.masks()

    def expect(self, result: "SegmentResult") -> None:
        """Show the mask of a segmentation as soon as its patient is open."""
        self.run_control.deliver(result_layer(result, preferences().view_convention))
        self.models.tell_device(result.device_title)

    def showEvent(self, event: "QShowEvent | None") -> None:
        """Take hold of the window once the dock is in it."""
        super().showEvent(event)
        window = around(self, QMainWindow)
        if window is None or self._guard is not None:
            return
        self._guard = CloseGuard(window, self._may_close)
        # A widget whose dock was closed is not destroyed with the window.
        self._guard.destroyed.connect(self._release)
        bar = window.statusBar()
        if bar is not None:
            self._status = QLabel(bar)
            self._status.setAccessibleName("Place of the cursor in the patient")
            # Left of napari's activity button, which therefore stays where it is.
            bar.insertPermanentWidget(1, self._status)
            self.destroyed.connect(self._status.deleteLater)

    def hideEvent(self, event: "QHideEvent | None") -> None:
        """Empty the status bar while the dock is away."""
        super().hideEvent(event)
        self._show_place("")

    def retire(self) -> tuple[Unfinished, Coming | None]:
        """Let go of the viewer and its window for good; returns what goes on without it."""
        unfinished = self.run_control.hand_over(), self.patient_control.hand_over()
        self._release()
        if self._guard is not None:
            self._guard.deleteLater()
            self._guard = None
        self.deleteLater()
        return unfinished

    def _may_close(self) -> bool:
        return self.mask_control.may_close()

    def _show_place(self, text: str) -> None:
        if self._status is not None:
            self._status.setText(text if self.isVisible() else "")

    def _make_release(self) -> Any:
        """Return what lets go of the viewer, once; it must not hold this widget.

        A script may end with the window open, or with Qt's last events undone. Qt's objects
        then go in any order, so that it is done before the first of them does.
        """
        parts: list[Any] = [
            self.letters,
            self.readout,
            self.views_control,
            self.review_control,
            self.patient_control,
            self.run_control,
            self.recovery,
            self.tool_control,
            self.places_control,
            self.paint_control,
            self.mask_control,
            self.reviews,
        ]

        def release() -> None:
            if not parts:
                return
            atexit.unregister(release)
            take_back()
            with ExitStack() as closing:  # whatever fails, journals and reviews are written
                while parts:
                    closing.callback(parts.pop().close)

        return atexit.register(release)

    def _lay_out(self) -> None:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(10)
        panels = (self.patients, self.views, self.found, self.models, self.run, self.masks)
        work = (self.places, self.paint, self.tools, self.exchange, self.review)
        for panel in (*panels, *work):
            column.addWidget(panel)
        column.addStretch(1)
        let_scroll(self, body)
        self.setMinimumWidth(NARROWEST)


def _closed_docks(viewer: Any) -> list[SegmentWidget]:
    """Return the widgets of docks that were closed, which watch a viewer's masks till now."""
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, SegmentWidget) and unwrapped(widget.viewer) is unwrapped(viewer)
    ]
