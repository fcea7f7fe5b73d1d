"""The Adapt widget: teach a model from corrected masks, and choose between new and old."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_brats.editing.review import mark
from napari_brats.editing.states import State
from napari_brats.errors import BratsError
from napari_brats.networks.catalog import list_models
from napari_brats.training.corrections import Correction, find_corrections
from napari_brats.widgets.adapt_cases import CasesPanel
from napari_brats.widgets.adapt_result import ResultTable
from napari_brats.widgets.captions import captioned
from napari_brats.widgets.combo import Combo
from napari_brats.widgets.curves_view import CurvesView
from napari_brats.widgets.docking import when_closed
from napari_brats.widgets.latest import Latest
from napari_brats.widgets.model_card import model_title
from napari_brats.widgets.model_panel import ModelPanel
from napari_brats.widgets.pace import duration
from napari_brats.widgets.preferences import prefer_model, preferences
from napari_brats.widgets.scrolling import let_scroll
from napari_brats.widgets.train_process import TrainProcess


class AdaptWidget(QWidget):
    """Adapt a model beside one's work: it runs in a process of its own.

    Closing the widget stops it; nothing is installed then.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.process = TrainProcess(self)
        self.search = Latest(self._show_cases, delay_ms=0, parent=self)
        self.models = Combo("Model", "The model that learns; it stays as it is", self)
        self.cases = CasesPanel(self)
        self.start = _button("Start", "Learn from the cases that count, and compare")
        self.stop = _button("Stop", "End now; nothing is installed")
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Progress of the training")
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("State of the adaptation")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.curves = CurvesView(self, height=170, dice=False)
        self.table = ResultTable(self)
        self.use_new = _button("Use new model", "Segment with the new model from now on")
        self.use_old = _button("Back to the old one", "Segment with the old model from now on")
        self._pair: tuple[str, str] | None = None
        self._lay_out()
        self._fill_models(preferences().model)
        self._connect()
        self._show_state()

    def look(self, words: str = "") -> None:
        """List the cases of the folder anew, and say something where the list has no words.

        Masks are read for it, so another thread looks; until it is done nothing can be started.
        """
        row = next((row for row in list_models() if row.name == self.models.currentData()), None)
        folder, every = self.cases.folder(), self.cases.every.isChecked()
        self.search.forget()
        if row is None or row.card is None or not folder:
            self._show_cases(([], words))
            return
        self.words.setText("looking for cases")
        look = partial(_cases_in, Path(folder), row.card.modalities, row.name, every, words)
        self.search.ask(lambda: look)
        self._show_state()

    def _show_cases(self, found: tuple[list[Correction], str]) -> None:
        self.cases.show_cases(found[0])
        self.words.setText(found[1])
        self._show_state()

    def _connect(self) -> None:
        self.models.opening.connect(lambda: self._fill_models(self.models.currentData()))
        self.models.currentIndexChanged.connect(lambda *_: self.look())
        self.cases.changed.connect(self.look)
        self.cases.marked.connect(self._mark)
        self.start.clicked.connect(self._begin)
        self.stop.clicked.connect(self._stop)
        self.use_new.clicked.connect(lambda: self._use(0))
        self.use_old.clicked.connect(lambda: self._use(1))
        self.process.reported.connect(self._report)
        self.process.noticed.connect(self.words.setText)
        self.process.ended.connect(self._ended)
        self.process.failed.connect(self._failed)
        when_closed(self, self.process.stop)

    def _begin(self) -> None:
        self.curves.clear()
        self.table.show_rows([])
        self.bar.setValue(0)
        self._pair = None
        flags = [
            "--model", str(self.models.currentData()), "--cases", self.cases.folder(),
            "--minutes", f"{self.cases.minutes.value():g}",
        ]  # fmt: skip
        self.words.setText("reading the cases")
        self.process.start([*flags, *(["--all"] * self.cases.every.isChecked())], "adapt")
        self._show_state()

    def _stop(self) -> None:
        self.process.stop()
        self.words.setText("stopping")
        self.stop.setEnabled(False)

    def _report(self, progress: dict[str, Any]) -> None:
        fraction = progress["fraction"]
        self.bar.setValue(round(1000 * fraction))
        left = progress["seconds"] / max(fraction, 1e-6) * (1 - fraction)
        self.words.setText(
            f"step {progress['step']}, loss {progress['loss']:.3f}, {duration(left)} left, "
            "then a comparison"
        )
        self.curves.add(progress)

    def _ended(self, result: dict[str, Any]) -> None:
        found = result["adaptation"]
        self.table.show_rows(found["compared"])
        new, old = found["installed"], str(self.models.currentData())
        if new is None:
            against = "; ".join(found["objections"])
            self.words.setText(f"Not better, so nothing was installed: {against}.")
        else:
            self.words.setText(f"Better on the held-back cases, and installed as {new}.")
            self._pair = (new, old)
        self._show_state()

    def _failed(self, reason: str) -> None:
        self.words.setText(reason)
        self._show_state()

    def _mark(self, chosen: list[Correction], reader: str) -> None:
        """Mark cases as reviewed: the newest saved mask counts, as the list says."""
        try:
            for correction in chosen:
                mark(correction.files, State.DONE, reader, mask=correction.newest)
        except BratsError as error:
            self.look(str(error))
            return
        self.look()

    def _use(self, which: int) -> None:
        """Choose the new (0) or the old (1) model here, in open docks and for those to come."""
        if self._pair is None:
            return
        name = self._pair[which]
        prefer_model(name)
        for widget in QApplication.allWidgets():
            if isinstance(widget, ModelPanel):
                widget.refresh()
                widget.choose(name)
        self.words.setText(f"The Segment widget uses {name} now; both models stay in its menu.")
        self._show_state(name)

    def _fill_models(self, chosen: str) -> None:
        self.models.blockSignals(True)
        self.models.clear()
        for row in list_models():
            if row.card is not None:
                self.models.addItem(model_title(row), row.name)
        self.models.setCurrentIndex(max(self.models.findData(chosen), 0))
        self.models.blockSignals(False)

    def _show_state(self, used: str = "") -> None:
        running = self.process.running()
        self.start.setEnabled(not running and self.search.idle and self.cases.count() > 0)
        self.stop.setEnabled(running)
        self.cases.setEnabled(not running)
        self.models.setEnabled(not running)
        self.bar.setVisible(running)
        for button, number in ((self.use_new, 0), (self.use_old, 1)):
            button.setVisible(self._pair is not None)
            button.setEnabled(self._pair is not None and self._pair[number] != used)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.addLayout(captioned("Model", self.models))
        column.addWidget(self.cases)
        for pair in ((self.start, self.stop), (self.use_new, self.use_old)):
            row = QHBoxLayout()
            for button in pair:
                row.addWidget(button)
            column.addLayout(row)
            if self.start in pair:
                column.addWidget(self.bar)
                column.addWidget(self.words)
        column.addWidget(self.table)
        column.addWidget(self.curves)
        column.addStretch()
        let_scroll(self, inside)


def _cases_in(
    folder: Path, modalities: Sequence[str], model: str, every: bool, words: str
) -> tuple[list[Correction], str]:
    """Return the cases of a folder, and what to say of them."""
    try:
        found = find_corrections([folder], modalities, model, unreviewed=every)
    except BratsError as error:
        return [], str(error)
    return found, words if found else "there is no patient in this folder"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
