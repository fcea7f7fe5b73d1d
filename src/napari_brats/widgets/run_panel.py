"""Segment, Cancel, and how far the run is."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_brats.widgets.pace import Pace


class RunPanel(QWidget):
    """The run's two buttons and its progress.

    Attributes
    ----------
    run_asked, cancel_asked : Signal()
        A button was pressed.
    """

    run_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.segment = QPushButton("Segment", self)
        self.segment.setToolTip("Segment the open patient; the mask arrives as a new layer")
        self.segment.setAccessibleName("Segment the open patient")
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setToolTip("Stop after the window at hand; nothing is kept")
        self.cancel.setAccessibleName("Cancel the segmentation")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the segmentation")
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("State of the segmentation")
        buttons = QHBoxLayout()
        buttons.addWidget(self.segment)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.words)
        self.segment.clicked.connect(self.run_asked)
        self.cancel.clicked.connect(self._cancel)
        self._pace = Pace()
        self.set_running(False)

    def set_running(self, running: bool) -> None:
        """Show that a run goes on, or that the next one can start."""
        # The button that can be pressed next takes over the keyboard's focus.
        before, after = (self.segment, self.cancel) if running else (self.cancel, self.segment)
        after.setEnabled(True)
        if before.hasFocus():
            after.setFocus()
        before.setEnabled(False)
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)
        self._pace = Pace()

    def show_step(self, done: int, total: int) -> None:
        """Move the bar and tell the time left; of a total of 0 nothing is known yet."""
        self.bar.setRange(0, total)
        if total:
            self.bar.setValue(done)
            self.words.setText(self._pace.text(done, total))

    def say(self, text: str) -> None:
        """Show a sentence about the run."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.say("stopping after this step")
        self.cancel_asked.emit()
